package deploy

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
	"github.com/aloft-run/aloft/internal/manifest"
)

// javaHandlers reports whether a project has handlers in Java.
func javaHandlers(s manifest.Settings, plan buildpack.Plan, tree fs.FS) bool {
	java := func(name string) bool {
		f := s.Function(name)
		if f.Off || name == manifest.WebFunction || name == releaseProcess {
			return false
		}
		family, _ := lambdaruntime.Guess(cmp.Or(f.Handler, f.Command, plan.Workers[name]), tree)
		if f.Runtime != "" {
			family, _, _ = lambdaruntime.Parse(f.Runtime) // an unknown one is refused elsewhere
		}
		return family == lambdaruntime.Java
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(s.Functions)), java) || slices.ContainsFunc(slices.Collect(maps.Keys(plan.Workers)), java)
}

// gradleScript is where the script lies that has Gradle copy dependencies.
const gradleScript = lambdaruntime.JavaClientDir + "/dependencies.gradle"

// copyDependencies is an initialisation script of Gradle: what each project of Java needs to run is copied to build/dependency.
const copyDependencies = `allprojects { p ->
  p.plugins.withId('java') {
    def copy = p.tasks.register('copyLambdaDependencies', Copy) {
      from p.configurations.runtimeClasspath
      into p.layout.buildDirectory.dir('dependency')
    }
    p.tasks.named('assemble') { dependsOn copy }
  }
}
`

// withJava completes the plan of a project with handlers in Java: their class path gets the dependencies that Maven or Gradle
// knows, and Lambda's client, which a Lambda has beside the app. What is to serve requests must be said: no jar is looked for.
func withJava(plan buildpack.Plan, tree fs.FS) buildpack.Plan {
	const repository = "-Dmaven.repo.local=$CACHE/maven"
	const dir = lambdaruntime.JavaClientDir
	plan.Resolve, plan.Missing = nil, nil
	plan.Steps = slices.Clone(plan.Steps)
	gradle := false
	for i, step := range plan.Steps {
		switch {
		case strings.HasPrefix(step.Name, "gradlew"):
			gradle = true
			plan.Steps[i].Command = append(slices.Clone(step.Command), "--init-script", gradleScript)
		case strings.HasPrefix(step.Name, "mvn"):
			plan.Steps[i].Command = append(slices.Clone(step.Command), "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=$APP/target/dependency")
		}
	}
	if gradle {
		plan.Steps = slices.Insert(plan.Steps, 0, buildpack.Step{
			Name: "write a script for the dependencies", Needs: "install a POSIX shell as /bin/sh", Env: map[string]string{"SCRIPT": copyDependencies},
			Command: []string{"/bin/sh", "-c", `mkdir -p ` + dir + ` && printf %s "$SCRIPT" > ` + gradleScript},
		})
		plan.Drop = append(slices.Clone(plan.Drop), gradleScript)
	}
	maven, needs := []string{"mvn"}, "install a JDK and Maven (apt-get install default-jdk-headless maven): it fetches the Lambda client for Java"
	if buildpack.Exists(tree, "mvnw") {
		maven, needs = []string{"sh", "./mvnw"}, "install a JDK (apt-get install default-jdk-headless)"
	}
	plan.Steps = append(plan.Steps, buildpack.Step{
		Name: "write a pom.xml for the Lambda client", Needs: "install a POSIX shell as /bin/sh", Env: map[string]string{"POM": lambdaruntime.JavaClientPOM()},
		Command: []string{"/bin/sh", "-c", `mkdir -p ` + dir + ` && printf %s "$POM" > ` + dir + `/pom.xml`},
	}, buildpack.Step{
		Name: "fetch the Lambda client for Java", Needs: needs,
		Command: append(maven, "--batch-mode", "--no-transfer-progress", repository, "-Dstyle.color=never", "-f", dir+"/pom.xml",
			"dependency:copy-dependencies", "-DoutputDirectory=$APP/"+dir),
	})
	plan.Keep, plan.Drop = append(slices.Clone(plan.Keep), dir+"/"), append(slices.Clone(plan.Drop), dir+"/pom.xml")
	return plan
}
