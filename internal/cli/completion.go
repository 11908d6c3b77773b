package cli

import (
	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newCompletion(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes commands in your shell",
		Long: `Prints a script for your shell that completes aloft's commands and flags.

Exit status: 0 printed; 2 the shell is not known.`,
		Example: `  source <(aloft completion bash)
  aloft completion zsh > "${fpath[1]}/_aloft"
  aloft completion fish > ~/.config/fish/completions/aloft.fish`,
		Args:      between(1, 1),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(p.out, true)
			case "zsh":
				return root.GenZshCompletion(p.out)
			case "fish":
				return root.GenFishCompletion(p.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(p.out)
			default:
				return aloft.Errorf(aloft.Invalid, "the shell %q is not known", args[0]).WithHint("one of bash, zsh, fish, powershell")
			}
		},
	})
}
