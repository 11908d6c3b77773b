package mem_test

import (
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/appservicetest"
	"github.com/aloft-run/aloft/internal/mem"
)

func TestStore(t *testing.T) {
	t.Parallel()
	appservicetest.Run(t, func(*testing.T) aloft.AppService { return new(mem.Store) })
}
