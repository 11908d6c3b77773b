package procfile_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/procfile"
)

type files = map[string]string

func TestContract(t *testing.T) {
	t.Parallel()
	buildpacktest.Run(t, procfile.New(), buildpacktest.Source(files{"Procfile": "web: run\nclock: tick\n"}), buildpacktest.Source(files{"procfile": "web: run"}))
}

func TestDetect(t *testing.T) {
	t.Parallel()
	buildpacktest.Table(t, procfile.New(), []buildpacktest.Case{
		{Name: "web", Files: files{"Procfile": "web: gunicorn app:app --bind $HOST:$PORT"}, Start: "gunicorn app:app --bind $HOST:$PORT"},
		{Name: "colon in command", Files: files{"Procfile": "web:\tenv A=b:c run"}, Start: "env A=b:c run"},
		{Name: "comments, blank lines, CRLF", Files: files{"Procfile": "# what runs\r\n\r\nweb: run  \r\nworker: work\r\n"}, Start: "run"},
		{Name: "upper case", Files: files{"Procfile": "Web: run"}, Start: "run"},
		{Name: "no web", Files: files{"Procfile": "worker: work"}, Err: "no web line", Hint: "web: COMMAND"},
		{Name: "empty", Files: files{"Procfile": ""}, Err: "no web line"},
		{Name: "no colon", Files: files{"Procfile": "web: run\nworker\n"}, Err: "Procfile:2:1: a line must read"},
		{Name: "bad name", Files: files{"Procfile": "1web: run"}, Err: "Procfile:1:1: process name \"1web\" is not allowed"},
		{Name: "NUL byte", Files: files{"Procfile": "web: a\nx: b\x00c"}, Err: "Procfile:2:5: NUL byte"},
		{Name: "not UTF-8", Files: files{"Procfile": "web: a\nx: caf\xe9"}, Err: "Procfile:2:7: not UTF-8"},
		{Name: "no command", Files: files{"Procfile": "web:"}, Err: "Procfile:1:5: process web has no command"},
		{Name: "twice", Files: files{"Procfile": "web: a\nclock: b\n  web: c"}, Err: "Procfile:3:3: process web has a line already"},
	})
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	plan, _, err := procfile.New().Detect(buildpacktest.Source(files{"Procfile": "web: run\nmail_queue: a\nclock: b\n"}))
	if err != nil || len(plan.Workers) != 2 || plan.Workers["mail-queue"] != "a" || plan.Workers["clock"] != "b" || !plan.Entry {
		t.Errorf("plan %+v, error %v", plan, err)
	}
}
