package cli

import (
	"context"

	"github.com/aloft-run/aloft"
)

// importForeign writes apps for a stack that something else made.
func (b *awsBackend) importForeign(ctx context.Context, o importOptions, report aloft.Reporter) (importResult, error) {
	return importResult{}, aloft.Errorf(aloft.Invalid, "the stack %s is not one that aloft made", o.stack)
}
