"""Writes what Python's jinja2 makes of our chat templates and snippets.

The environment is set up as transformers does for apply_chat_template. Reads and writes
src/test/resources/chat-templates: templates/*.jinja and conversations.json give renderings.json,
snippets.txt gives snippets.json. Needs jinja2 3.1 (Debian's python3-jinja2) and nothing else.

    python render_templates.py ../../../test/resources/chat-templates
"""

import datetime
import json
import pathlib
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

NOW = datetime.datetime(2026, 7, 4, 9, 5, 3)


class Generation(jinja2.ext.Extension):
    """The generation block, which marks text and changes none."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_text"), [], [], body).set_lineno(line)

    def _text(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(
            x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
        )

    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: NOW.strftime(form)
    return env


def outcome(source, variables):
    """The text, or the kind and the sentence of the error."""
    try:
        return {"text": environment().from_string(source).render(**variables)}
    except Exception as e:  # every error of a template is a result here
        return {"error": type(e).__name__, "message": str(e)}


def renderings(folder):
    given = json.loads((folder / "conversations.json").read_text())
    cases = []
    for path in sorted((folder / "templates").glob("*.jinja")):
        source = path.read_text()
        for name, conversation in given["conversations"].items():
            for variant, extra in given["variants"].items():
                variables = {**given["special"], "tools": None, **conversation, **extra}
                result = outcome(source, variables)
                cases.append(
                    {"template": path.stem, "conversation": name, "variant": variant, **result}
                )
    return cases


def snippets(folder):
    given = json.loads((folder / "conversations.json").read_text())
    cases = []
    for block in (folder / "snippets.txt").read_text().split("\n"):
        if block and not block.startswith("## "):
            source = block.replace("⏎", "\n")
            cases.append({"source": source, **outcome(source, given["snippets"])})
    return cases


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, cases in (("renderings", renderings(folder)), ("snippets", snippets(folder))):
        text = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
        (folder / f"{name}.json").write_text("[\n" + text + "\n]\n")
        failed = sum("error" in case for case in cases)
        print(f"{name}: {len(cases)} cases, {failed} of them errors")


if __name__ == "__main__":
    main()
