package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aloft-run/aloft/internal/source"
)

// FuzzIgnore feeds any text as an ignore file: scanning neither fails nor takes what a plain second rule drops.
func FuzzIgnore(f *testing.F) {
	for _, seed := range []string{
		"", "*\n!a\n", "\ufeff#x\r\n/a\\ \r\n", "**/b/**\n!**/c", "[[:alpha:]-z]\n[]-a]\n[!]a-]*\n[a", "a**/b***c\n\\", "*a*a*a*a*a*a*a*a*a*b",
		"/", "//", "!", "!/", "**", "/**/", "a/**/b", "[[:x:]]", "\x00", "d/\n!d/b\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"a": "", "d/b": "", "d/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac": "", "d/e/ c ": "", "drop": ""})
		must(t, os.WriteFile(filepath.Join(dir, ".gitignore"), text, 0o644))
		must(t, os.WriteFile(filepath.Join(dir, ".aloftignore"), []byte("drop\n"), 0o644))
		tree, err := source.Scan(t.Context(), dir, source.Options{Ignore: true})
		if err != nil {
			t.Fatal(err)
		}
		defer tree.Close()
		for _, e := range tree.Entries() {
			if e.Path == "drop" {
				t.Error("a rule of .gitignore overrides .aloftignore")
			}
		}
	})
}
