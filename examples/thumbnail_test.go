package examples_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aloftest"
)

// TestThumbnail: a picture that is put into a bucket becomes an event, and that a thumbnail in another bucket; one that is
// broken becomes a dead letter. The app is written with boto3 and Pillow as for AWS.
func TestThumbnail(t *testing.T) {
	t.Parallel()
	aloftest.NeedTool(t, "python3")
	w := serve(t)
	dir := filepath.Join(t.TempDir(), "thumbnail")
	if err := os.CopyFS(dir, os.DirFS("thumbnail")); err != nil {
		t.Fatal(err)
	}
	d := w.Up(t, dir)
	t.Logf("%s, built in %.1f s, %d bytes", d.Build.Buildpack, d.Build.Seconds, d.Artifact.Size)
	if status, body := w.Get(t, d.URL+"/"); status != 200 || !strings.Contains(body, "No pictures yet") {
		t.Errorf("first page: %d %s", status, body)
	}

	put(t, w, d.URL+"/pictures/gr%C3%BCn%20b.png", picture(t, 400, 200))
	put(t, w, d.URL+"/pictures/broken.png", "\x89PNG\r\n\x1a\nthis is not one")
	aloftest.Eventually(t, time.Minute, func() error { return pictured(t, w, d.URL+"/thumbnails/gr%C3%BCn%20b.png", 100, 50) })
	if err := pictured(t, w, d.URL+"/pictures/gr%C3%BCn%20b.png?width=10", 10, 5); err != nil {
		t.Error(err)
	}
	if status, body := w.Get(t, d.URL+"/"); status != 200 || !strings.Contains(body, `alt="grün b.png"`) || strings.Contains(body, "broken") {
		t.Errorf("page with a thumbnail: %d %s", status, body)
	}

	var dead []aloft.DeadLetter
	aloftest.Eventually(t, time.Minute, func() error {
		w.Must(t, &dead, dir, "dead-letters", "--stage", "production", "--json")
		if len(dead) != 1 || dead[0].Function != "create" || dead[0].Attempts != 1 || !strings.Contains(dead[0].Error, "UnidentifiedImageError") {
			return fmt.Errorf("dead letters %+v\n%s", dead, w.Log())
		}
		return nil
	})
	var letter aloft.DeadLetter
	w.Must(t, &letter, dir, "dead-letters", "show", dead[0].ID, "--stage", "production", "--json")
	if !strings.Contains(string(letter.Payload), `"key": "in/broken.png"`) {
		t.Errorf("the dead letter is %s", letter.Payload)
	}
	if status, _ := w.Get(t, d.URL+"/thumbnails/broken.png"); status != 404 {
		t.Errorf("the broken picture has a thumbnail: %d", status)
	}
}

// green is what the test's picture shows.
func green() color.NRGBA { return color.NRGBA{G: 200, A: 255} }

func picture(t *testing.T, width, height int) string {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.SetNRGBA(i%width, i/width, green())
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func put(t *testing.T, w *aloftest.World, address, body string) {
	t.Helper()
	r, err := w.Request(t.Context(), http.MethodPut, address, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "image/png")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if said, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusAccepted {
		t.Fatalf("PUT %s: %s %s %v", address, res.Status, said, err)
	}
}

// pictured says why there is no green picture of this size at the address.
func pictured(t *testing.T, w *aloftest.World, address string, width, height int) error {
	t.Helper()
	status, body := w.Get(t, address)
	if status != http.StatusOK {
		return fmt.Errorf("%s: %d %.300s\n%s", address, status, body, w.Log())
	}
	m, err := png.Decode(strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", address, err)
	}
	if got := m.Bounds(); got != image.Rect(0, 0, width, height) || color.NRGBAModel.Convert(m.At(width/2, height/2)) != green() {
		return fmt.Errorf("%s: a picture of %v, %v in the middle", address, got, m.At(width/2, height/2))
	}
	return nil
}
