package lambdaruntime

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// JavaClientDir is where the official client of the Runtime API for Java lies in a tree: a build puts it there, by JavaClientPOM.
const JavaClientDir = ".lambda-java"

// javaClient is the version of the client, which needs the C library of the machine that it is made for: glibc or musl, on
// x86-64 or arm64. 2.10.1 is of March 2026.
const javaClient = "2.10.1"

// JavaClientPOM is a project of Maven whose dependencies are the client and what it needs.
func JavaClientPOM() string {
	return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` +
		`<groupId>run.aloft</groupId><artifactId>lambda-client</artifactId><version>1</version><packaging>pom</packaging>` +
		`<dependencies><dependency><groupId>com.amazonaws</groupId><artifactId>aws-lambda-java-runtime-interface-client</artifactId>` +
		`<version>` + javaClient + `</version></dependency></dependencies></project>` + "\n"
}

// JavaHandler is a handler of the family Java.
type JavaHandler struct {
	Files   fs.FS  // of the tree
	Dir     string // where the command sees the tree
	Layers  string // and its layers, "" for none
	Handler string
	Memory  int // what an instance may use, in MB; 0 if there is no bound
}

// Command is the argument vector that runs the handler.
func (j JavaHandler) Command() []string {
	paths := classPath(j.Files)
	for i := range paths {
		paths[i] = path.Join(j.Dir, paths[i])
	}
	if j.Layers != "" {
		paths = append(paths, path.Join(j.Layers, "java/lib/*"))
	}
	command := []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"} // as on Lambda: they start fastest
	if j.Memory > 0 {
		command = append(command, fmt.Sprintf("-XX:MaxHeapSize=%dk", j.Memory<<10*85/100)) // the rest is for what is not heap
	}
	return append(command, "-cp", strings.Join(paths, ":"), "com.amazonaws.services.lambda.runtime.api.client.AWSLambda", j.Handler)
}

// classPath are the places of classes in a tree, relative to it: those of Lambda, then what Maven and Gradle build, of one
// module or several, then the client.
func classPath(files fs.FS) []string {
	paths := []string{".", "lib/*"}
	for _, pattern := range []string{"target", "*/target", "target/dependency", "*/target/dependency", "build/libs", "*/build/libs", "build/dependency", "*/build/dependency"} {
		found, _ := fs.Glob(files, pattern) // the patterns are good ones
		slices.Sort(found)
		for _, dir := range found {
			paths = append(paths, dir+"/*")
		}
	}
	return append(paths, JavaClientDir+"/*")
}
