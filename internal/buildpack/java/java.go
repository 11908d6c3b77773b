// Package java is the buildpack of Java programs built by Maven or Gradle into a jar that runs by itself.
package java

import (
	"io/fs"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
)

const (
	needsMaven = "install a JDK and Maven (apt-get install default-jdk-headless maven)"
	needsJDK   = "install a JDK (apt-get install default-jdk-headless)"
)

// Buildpack is the buildpack.
type Buildpack struct{}

var _ buildpack.Buildpack = Buildpack{}

// New returns the buildpack.
func New() buildpack.Buildpack { return Buildpack{} }

// Name is "java".
func (Buildpack) Name() string { return "java" }

// LooksFor names what Detect looks for.
func (Buildpack) LooksFor() string { return "pom.xml (Maven), or build.gradle with gradlew (Gradle)" }

// Detect goes by the build file. Which jar is the program is known only when it is built.
func (Buildpack) Detect(src fs.FS) (buildpack.Plan, bool, error) {
	plan := buildpack.Plan{
		// Working files of the builds. What is left of target and build is the jars and what they refer to.
		Drop: []string{
			"src/", "target/classes/", "target/test-classes/", "target/generated-sources/", "target/generated-test-sources/",
			"target/maven-archiver/", "target/maven-status/", "target/surefire-reports/", "target/failsafe-reports/", "*.jar.original",
			"*-sources.jar", "*-javadoc.jar", "build/classes/", "build/generated/", "build/tmp/", "build/reports/", "build/test-results/",
			"build/resources/", ".gradle/", ".mvn/", "/gradle/", "/mvnw", "/mvnw.cmd", "/gradlew", "/gradlew.bat",
		},
	}
	gradle := buildpack.First(src, "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
	switch {
	case buildpack.Exists(src, "pom.xml"):
		plan.Why, plan.Keep, plan.Steps = "pom.xml", []string{"target/"}, []buildpack.Step{maven(src)}
		plan.Resolve = resolver("target", "*/target")
	case gradle != "" && buildpack.Exists(src, "gradlew"):
		plan.Why, plan.Keep = gradle+" and gradlew", []string{"build/"}
		// Gradle keeps its downloads and its user's configuration in one directory, so that is left where it is.
		plan.Steps = []buildpack.Step{{
			Name: "gradlew assemble", Needs: needsJDK, Build: true,
			Command: []string{"sh", "./gradlew", "--no-daemon", "--console=plain", "--project-cache-dir", "$CACHE/gradle", "assemble"},
		}}
		plan.Resolve = resolver("build/libs", "*/build/libs", "build", "*/build")
	case gradle != "":
		return buildpack.Plan{}, false, aloft.Errorf(aloft.Invalid, "%s needs the Gradle wrapper, and there is no gradlew", gradle).
			WithHint("run \"gradle wrapper\" and commit what it makes")
	default:
		return buildpack.Plan{}, false, nil
	}
	return plan, true, nil
}

func maven(src fs.FS) buildpack.Step {
	step := buildpack.Step{Name: "mvn package", Needs: needsMaven, Build: true, Command: []string{"mvn"}}
	if buildpack.Exists(src, "mvnw") {
		step.Name, step.Needs, step.Command = "mvnw package", needsJDK, []string{"sh", "./mvnw"}
	}
	step.Command = append(step.Command, "--batch-mode", "--no-transfer-progress", "-DskipTests", "-Dmaven.repo.local=$CACHE/maven",
		"-Dproject.build.outputTimestamp=1980-01-01T00:00:02Z", "-Dstyle.color=never", "package") // the same jar at any time
	return step
}
