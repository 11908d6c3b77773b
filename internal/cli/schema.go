package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft/internal/manifest"
)

func newSchema(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "schema [flags]",
		Short: "Print the JSON Schema of aloft.yml",
		Long: `Prints the JSON Schema of aloft.yml, for editors that complete and check files. The file is optional.

Exit status: 0 printed.`,
		Example: `  aloft schema > aloft.schema.json`,
		Args:    between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if _, err := p.out.Write(manifest.Schema()); err != nil {
				return fmt.Errorf("write the schema: %w", err)
			}
			return nil
		},
	})
}
