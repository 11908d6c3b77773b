package java_test

import (
	"archive/zip"
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/java"
)

type files = map[string]string

func TestContract(t *testing.T) {
	t.Parallel()
	other := buildpacktest.Source(files{"Main.java": "x"})
	buildpacktest.Run(t, java.New(), buildpacktest.Source(files{"pom.xml": "<project/>"}), other)
	buildpacktest.Run(t, java.New(), buildpacktest.Source(files{"build.gradle.kts": "x", "gradlew": "x"}), other)
}

func TestDetect(t *testing.T) {
	t.Parallel()
	const options = " --batch-mode --no-transfer-progress -DskipTests -Dmaven.repo.local=$CACHE/maven -Dproject.build.outputTimestamp=1980-01-01T00:00:02Z -Dstyle.color=never package"
	buildpacktest.Table(t, java.New(), []buildpacktest.Case{
		{Name: "maven", Files: files{"pom.xml": "x"}, Steps: []string{"mvn" + options}},
		{Name: "wrapper", Files: files{"pom.xml": "x", "mvnw": "x"}, Steps: []string{"sh ./mvnw" + options}},
		{Name: "gradle", Files: files{"build.gradle": "x", "gradlew": "x"}, Steps: []string{"sh ./gradlew --no-daemon --console=plain --project-cache-dir $CACHE/gradle assemble"}},
		{Name: "gradle without wrapper", Files: files{"build.gradle": "x"}, Err: "no gradlew", Hint: "gradle wrapper"},
	})
}

func jar(t *testing.T, manifest string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if manifest != "" {
		w, err := z.Create("META-INF/MANIFEST.MF")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("Manifest-Version: 1.0\r\n" + manifest + "\r\n\r\nName: x\r\nMain-Class: no\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	plan, _, err := java.New().Detect(buildpacktest.Source(files{"pom.xml": "x"}))
	if err != nil {
		t.Fatal(err)
	}
	spring, plain, thin := jar(t, "Main-Class: org.Launch\r\n er\r\nStart-Class: a.App"), jar(t, "Main-Class: a.App"), jar(t, "")
	for _, c := range []struct {
		name, start, err string
		built            fstest.MapFS
	}{
		{"spring", "java -Dserver.port=$PORT -Dserver.address=$HOST -jar target/a.jar", "", fstest.MapFS{"target/a.jar": spring, "target/a.jar.original": plain, "target/b.jar": plain}},
		{"plain", "java -jar target/a-1.0.jar", "", fstest.MapFS{"target/a-1.0.jar": plain, "target/a-sources.jar": thin, "target/original-a.jar": plain}},
		{"module", "java -jar web/target/a.jar", "", fstest.MapFS{"lib/target/l.jar": thin, "web/target/a.jar": plain}},
		{"quarkus", "java -Dquarkus.http.port=$PORT -Dquarkus.http.host=$HOST -jar target/quarkus-app/quarkus-run.jar", "", fstest.MapFS{"target/quarkus-app/quarkus-run.jar": plain, "target/a.jar": thin}},
		{"two", "", "several jars", fstest.MapFS{"target/a.jar": plain, "target/b.jar": plain}},
		{"none", "", "no jar that runs by itself", fstest.MapFS{"target/a.jar": thin}},
		{"odd name", "", "no jar that runs by itself", fstest.MapFS{"target/a;b.jar": plain}},
		{"not a zip", "", "read target/a.jar", fstest.MapFS{"target/a.jar": {Data: []byte("x")}}},
	} {
		start, err := plan.Resolve(c.built)
		if start != c.start || (err == nil) != (c.err == "") || err != nil && !bytes.Contains([]byte(err.Error()), []byte(c.err)) {
			t.Errorf("%s: %q, %v", c.name, start, err)
		}
	}
}
