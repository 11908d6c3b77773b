package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// Root returns the tree of commands, for tests that look at every one.
func Root() *cobra.Command { return newRoot(newProgram(Process{})) }

// Clean is clean.
func Clean(text string) string { return clean(text) }

// Nearest is nearest.
func Nearest(word string, names []string) string { return nearest(word, names) }

// Addresses is addresses.
func Addresses(asked, remembered string) []string { return addresses(asked, remembered) }

// BuildEnv is buildEnv.
func BuildEnv(env map[string]string) []string { return buildEnv(env) }

// AppEnv is appEnv.
func AppEnv(env map[string]string) []string { return appEnv(env) }

// OpenRotatingLog opens a log of the server's kind.
func OpenRotatingLog(path string, size int64, kept int) (io.WriteCloser, error) {
	return openRotatingLog(&rotatingLog{path: path, size: size, kept: kept})
}

// ToolDirs are the directories that sandboxes see besides the system's.
func ToolDirs(env map[string]string, own string) []string { return toolDirs(env, own) }

// Sparkline is sparkline.
func Sparkline(values []int64) string { return sparkline(values) }
