package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft/internal/handover"
	"github.com/aloft-run/aloft/internal/sqlite"
)

// versionInfo is what this program is.
type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a source that differs from Commit
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Schema   int    `json:"schema"`   // the newest of the state that it understands
	Handover int    `json:"handover"` // how it takes the place of a server that runs
}

// version is set by the linker; see the Makefile.
var version string

// thisVersion says what this program is: what the linker was told, and what the Go tool wrote into it.
func thisVersion() versionInfo {
	v := versionInfo{Version: "development", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	v.Schema, v.Handover = sqlite.Schema(), handover.Protocol
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	if version != "" {
		v.Version = version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func newVersion(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "version [flags]",
		Short: "Print the version of aloft",
		Long: `Prints the version of this program. With --json: {"version", "commit", "modified", "go", "os", "arch",
"schema", "handover"}; schema is the newest schema of the state that it understands, handover the way in which it takes
the place of a running server (aloft upgrade).

Exit status: 0 printed.`,
		Example: `  aloft version
  aloft version --json`,
		Args: between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			v := thisVersion()
			if p.flags.json {
				return p.printJSON(v)
			}
			fmt.Fprintf(p.out, "aloft %s (%s, %s/%s)\n", v.Version, v.Go, v.OS, v.Arch)
			return nil
		},
	})
}
