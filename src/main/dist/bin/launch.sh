# Shared by the launch scripts: finds a JDK of version 25 or later and replaces this process by it.
# Environment: JAVA_HOME (looked at first), FLOTILLA_JAVA_OPTS (further JVM flags).

home=$(dirname "$(dirname "$(readlink -f "$0")")")

# The major version of the JDK in folder $1, or nothing.
version_of() {
  [ -x "$1/bin/java" ] && sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null
}

java_home=
seen=
on_path=$(command -v java 2>/dev/null)
[ -n "$on_path" ] && on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
for candidate in "$JAVA_HOME" "$on_path" /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
  [ -n "$candidate" ] || continue
  version=$(version_of "$candidate")
  [ -n "$version" ] || continue
  if [ "$version" -ge 25 ]; then
    java_home=$candidate
    break
  fi
  case " $seen " in *" $version "*) ;; *) seen="$seen $version" ;; esac
done
if [ -z "$java_home" ]; then
  echo "flotilla: needs a JDK of version 25 or later, found ${seen:-none}; install one or set JAVA_HOME to it." >&2
  exit 1
fi

# Classes that are loaded from an archive are there at once (flotilla-archive writes it).
archive=
[ -r "$home/lib/flotilla.jsa" ] && archive=-XX:SharedArchiveFile=$home/lib/flotilla.jsa

# Hazelcast and Netty reach into the JDK; the Vector API is an incubator module. Vector kernels are
# slow until they are compiled, so they are compiled after a hundredth of the usual calls, and their
# callers wait for it: running them in the meantime would have the compiler work on the slow way as
# well, which costs 3 s of processor time at each start. The archive is used at the address that it
# was written for: moving it costs 0.1 s, and its pages would not be shared among processes.
# shellcheck disable=SC2086
exec "$java_home/bin/java" \
  --add-modules java.se,jdk.incubator.vector \
  --add-exports java.base/jdk.internal.ref=ALL-UNNAMED \
  --add-opens java.base/java.lang=ALL-UNNAMED \
  --add-opens java.base/sun.nio.ch=ALL-UNNAMED \
  --add-opens java.management/sun.management=ALL-UNNAMED \
  --add-opens jdk.management/com.sun.management.internal=ALL-UNNAMED \
  --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED \
  -XX:CompileCommand=quiet \
  "-XX:CompileCommand=CompileThresholdScaling,dev.flotilla.executor.cpu.*::*,0.1" \
  "-XX:CompileCommand=CompileThresholdScaling,dev.flotilla.executor.cpu.generated.*::*,0.01" \
  "-XX:CompileCommand=BackgroundCompilation,dev.flotilla.executor.cpu.generated.*::*,false" \
  -XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0 \
  -XX:+UseCompactObjectHeaders -Xlog:disable -Xlog:all=error:stderr -Xlog:cds=off:stderr -Xlog:aot=off:stderr \
  -Dhazelcast.logging.type=slf4j -Dflotilla.home="$home" -Dvertx.hazelcast.config="${FLOTILLA_CLUSTER_CONFIG:-$home/cluster.xml}" \
  ${archive:+"$archive"} $FLOTILLA_JAVA_OPTS -cp "$home/lib/*" "$FLOTILLA_MAIN" "$@"
