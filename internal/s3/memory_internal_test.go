package s3

import (
	"testing"
	"time"

	"github.com/aloft-run/aloft"
)

// TestReadAcrossWrite: a read that began before a write ended, and ends after it, does not put back what was there before.
func TestReadAcrossWrite(t *testing.T) {
	t.Parallel()
	ref, m := aloft.StageRef{App: "web", Stage: "production"}, &memory{}
	defer m.hold(ref, func() error { return nil })()
	key := stageKey(ref, "id")
	writing := m.forget(key)
	_, reading, _ := m.recall(key) // S3 answers it with the old one
	m.wrote(key, object{etag: "new"}, writing)
	m.keep(key, object{etag: "old"}, reading)
	if found, _, known := m.recall(key); !known || found.etag != "new" {
		t.Errorf("it remembers %q, %v", found.etag, known)
	}
}

// TestForeseenIndex: the index that Exists found is for the command that reads it next, not for one that builds for minutes before.
func TestForeseenIndex(t *testing.T) {
	t.Parallel()
	m := &memory{}
	for age, want := range map[time.Duration]bool{0: true, fresh: false} {
		m.foresee(object{etag: "index"})
		m.found = m.found.Add(-age)
		if _, _, known := m.recall(indexKey); known != want {
			t.Errorf("after %v it is known: %v", age, known)
		}
		if _, _, known := m.recall(indexKey); known {
			t.Error("it is read twice")
		}
	}
}
