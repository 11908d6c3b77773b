package stream_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/aloft-run/aloft/internal/resource/resourcetest"
	"github.com/aloft-run/aloft/internal/resource/stream"
)

// putterEnv makes this test binary a process that puts records into a directory and says each that was acknowledged.
const putterEnv = "ALOFT_TEST_PUTTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(putterEnv); dir != "" {
		fmt.Println(put(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func put(dir string) error {
	ctx := context.Background()
	s, err := stream.Open(ctx, dir, false)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if _, err := s.Put(ctx, "clicks", []stream.Entry{{Key: "k", Data: []byte(strconv.Itoa(n))}}); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKill: after kill -9 all records that were acknowledged are there, in their order and once, and maybe one more.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := open(t, dir)
	if err := store.Create(t.Context(), stream.Stream{Name: "clicks", Shards: 1}); err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	want := 0
	for round := range 4 {
		acknowledged := resourcetest.Killed(t, putterEnv+"="+dir, 20+30*round)
		store := open(t, dir)
		var got []string
		after := ""
		for {
			records, err := store.Read(t.Context(), "clicks", "shardId-000000000000", after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if len(records) == 0 {
				break
			}
			for _, r := range records {
				got = append(got, string(r.Data))
				after = r.Sequence
			}
		}
		_ = store.Close()
		mine := got[want:]
		if len(mine) < acknowledged || len(mine) > acknowledged+1 {
			t.Fatalf("%d records were acknowledged, %d are there", acknowledged, len(mine))
		}
		for i, data := range mine {
			if data != strconv.Itoa(i) {
				t.Fatalf("record %d of the round holds %s", i, data)
			}
		}
		want = len(got)
	}
}
