package rust_test

import (
	"testing"

	"github.com/aloft-run/aloft/internal/buildpack/buildpacktest"
	"github.com/aloft-run/aloft/internal/buildpack/rust"
)

type files = map[string]string

const crate = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\n"

func TestContract(t *testing.T) {
	t.Parallel()
	buildpacktest.Run(t, rust.New(),
		buildpacktest.Source(files{"Cargo.toml": crate, "Cargo.lock": "x", "src/main.rs": "fn main() {}"}), buildpacktest.Source(files{"main.rs": "x"}))
}

func TestDetect(t *testing.T) {
	t.Parallel()
	const touch, install = "find . -type f -exec touch {} +", "cargo install --path "
	buildpacktest.Table(t, rust.New(), []buildpacktest.Case{
		{Name: "program", Files: files{"Cargo.toml": crate, "src/main.rs": ""}, Start: "bin/shop", Steps: []string{touch, install + ". --root $APP --no-track --force"}},
		{Name: "locked", Files: files{"Cargo.toml": crate, "Cargo.lock": "", "src/main.rs": ""}, Start: "bin/shop", Steps: []string{touch, install + ". --root $APP --no-track --force --locked"}},
		{Name: "bin section", Files: files{"Cargo.toml": crate + "[[bin]]\nname = \"web\"\npath = \"src/main.rs\"\n", "src/main.rs": ""}, Start: "bin/web"},
		{Name: "several", Files: files{"Cargo.toml": crate, "src/main.rs": "", "src/bin/tool.rs": "", "src/bin/big/main.rs": ""}, Err: "several programs: big, shop, tool", Hint: "default-run"},
		{Name: "default-run", Files: files{"Cargo.toml": crate + "default-run = \"shop\"\n", "src/main.rs": "", "src/bin/tool.rs": ""}, Start: "bin/shop"},
		{Name: "library", Files: files{"Cargo.toml": crate, "src/lib.rs": ""}, Err: "no program", Hint: "src/main.rs"},
		{Name: "workspace", Files: files{
			"Cargo.toml": "[workspace]\nmembers = [\"crates/*\"]\n", "crates/lib/Cargo.toml": "[package]\nname = \"lib\"\n", "crates/lib/src/lib.rs": "",
			"crates/web/Cargo.toml": "[package]\nname = \"web\"\n", "crates/web/src/main.rs": "",
		}, Start: "bin/web", Steps: []string{touch, install + "crates/web --root $APP --no-track --force"}},
		{Name: "broken", Files: files{"Cargo.toml": "[package]\nname = shop\n"}, Err: "Cargo.toml:2:"},
		{Name: "wrong type", Files: files{"Cargo.toml": "package = 1\n"}, Err: "Cargo.toml:1:1: "},
	})
}
