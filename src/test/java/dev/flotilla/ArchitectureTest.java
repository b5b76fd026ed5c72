package dev.flotilla;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import dev.flotilla.protocol.Machine;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The layers of {@code architecture.md}, each rule with its reason. */
class ArchitectureTest {
  private static final String ROOT = "dev.flotilla";
  private static final JavaClasses CLASSES =
      new ClassFileImporter().withImportOption(new DoNotIncludeTests()).importPackages(ROOT);

  private static String p(String name) {
    return ROOT + "." + name + "..";
  }

  @Test
  void bottomLayerKnowsNothingAbove() {
    noClasses()
        .that()
        .resideInAnyPackage(p("config"), p("protocol"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            p("model"),
            p("balancer"),
            p("scheduler"),
            p("placement"),
            p("tokenizer"),
            p("grammar"),
            p("collective"),
            p("executor"),
            p("frontend"),
            p("coordinator"),
            p("engine"),
            p("launch"),
            p("simulation"),
            ROOT)
        .because("settings and messages are what every other part agrees on")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void modelKnowsOnlyTheBottom() {
    noClasses()
        .that()
        .resideInAPackage(p("model"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            p("balancer"),
            p("scheduler"),
            p("placement"),
            p("tokenizer"),
            p("grammar"),
            p("collective"),
            p("executor"),
            p("frontend"),
            p("coordinator"),
            p("engine"),
            p("launch"),
            p("simulation"),
            ROOT)
        .because("what is computed does not depend on who computes or schedules it")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void middleLayerNeverLooksUp() {
    noClasses()
        .that()
        .resideInAnyPackage(
            p("balancer"),
            p("scheduler"),
            p("placement"),
            p("tokenizer"),
            p("grammar"),
            p("collective"),
            p("executor"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            p("frontend"), p("coordinator"), p("engine"), p("launch"), p("simulation"), ROOT)
        .because("decisions and kernels are used by the verticles, not the other way round")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void partsMeetOnlyInTheProtocol() {
    String[] parts = {"frontend", "coordinator", "engine", "launch"};
    for (String part : parts) {
      for (String other : parts) {
        if (!part.equals(other)) {
          noClasses()
              .that()
              .resideInAPackage(p(part))
              .should()
              .dependOnClassesThat()
              .resideInAnyPackage(p(other), ROOT)
              .because("they run on different nodes and agree only on messages")
              .allowEmptyShould(true)
              .check(CLASSES);
        }
      }
    }
  }

  @Test
  void benchKnowsOnlyWhatAnyClientKnows() {
    noClasses()
        .that()
        .resideInAPackage(p("bench"))
        .should()
        .dependOnClassesThat(
            describe(
                "are ours, but neither settings nor messages",
                c ->
                    (c.getPackageName() + ".").startsWith(ROOT + ".")
                        && !c.getPackageName().matches(".*\\.(bench|config|protocol)")))
        .because("it measures any OpenAI-compatible server by the same means")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void vertxOnlyInShells() {
    noClasses()
        .that(
            describe(
                "are no shells",
                c ->
                    !c.getPackageName().equals(ROOT)
                        && !c.getPackageName().startsWith(ROOT + ".frontend")
                        && !outermost(c)
                            .getSimpleName()
                            .matches(".*(Verticle|Codec|Port|Process)|Bus")))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.vertx..")
        .because("decisions are pure and tested without a bus; verticles are thin shells")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void librariesStayInTheirRooms() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT)
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.hazelcast..")
        .because("the cluster manager is chosen in one place")
        .allowEmptyShould(true)
        .check(CLASSES);
    noClasses()
        .that()
        .resideOutsideOfPackage(p("executor.cpu"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("jdk.incubator.vector..")
        .because("the incubator API may change, and only kernels need it")
        .allowEmptyShould(true)
        .check(CLASSES);
    noClasses()
        .that()
        .resideOutsideOfPackage(p("executor.gpu"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("jcuda..")
        .because("a node without a GPU never loads it")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void machinesReachNoVertxNoClockNoThread() {
    Deque<JavaClass> queue = new ArrayDeque<>();
    Set<String> seen = new LinkedHashSet<>();
    CLASSES.stream().filter(c -> c.isAssignableTo(Machine.class)).forEach(queue::add);
    while (!queue.isEmpty()) {
      JavaClass next = queue.poll();
      if (seen.add(next.getName())) {
        next.getDirectDependenciesFromSelf().stream()
            .map(d -> d.getTargetClass().getBaseComponentType())
            .filter(c -> c.getPackageName().startsWith(ROOT))
            .forEach(queue::add);
      }
    }
    classes()
        .that(describe("are reached by machines", c -> seen.contains(c.getName())))
        .should()
        .onlyDependOnClassesThat(
            describe(
                "are pure",
                c ->
                    !c.getPackageName().startsWith("io.vertx")
                        && !Set.of(
                                "java.lang.Thread",
                                "java.time.Clock",
                                "java.util.Random",
                                "java.util.concurrent.ThreadLocalRandom")
                            .contains(c.getName())))
        .because("a machine moves only by the events given to it")
        .allowEmptyShould(true)
        .check(CLASSES);
    noClasses()
        .that(describe("are reached by machines", c -> seen.contains(c.getName())))
        .should()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Math.class, "random")
        .because("time enters as an event, chance as a seed")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  private static JavaClass outermost(JavaClass c) {
    return c.getEnclosingClass().map(ArchitectureTest::outermost).orElse(c);
  }
}
