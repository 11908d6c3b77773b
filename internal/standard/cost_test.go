package standard_test

import (
	"maps"
	"testing"

	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/cost"
)

// TestStandingCost: what every kind renders has a price if it costs as long as it is there.
func TestStandingCost(t *testing.T) {
	all := cfn.Template{Resources: map[string]cfn.Resource{}}
	for _, r := range graph() {
		maps.Copy(all.Resources, rendered(t, r, nil).Resources)
	}
	resources, unpriced := cost.Standing(all)
	if len(unpriced) > 0 {
		t.Errorf("without a price are %q", unpriced)
	}
	// two shards; an Aurora at half a unit; a server that another stands by for, 50 GB each; a search of 20 GB; three passwords
	for id, want := range map[cost.ID]string{
		cost.StreamShard: "2", cost.AuroraACU: "0.5", cost.RDSMicro: "2", cost.RDSDisk: "100", cost.CacheLeast: "1",
		cost.SearchSmall: "1", cost.SearchDisk: "20", cost.Secret: "3",
	} {
		if got := resources[id].Short(1); got != want {
			t.Errorf("of %s there are %s, want %s", id, got, want)
		}
	}
	if len(resources) != 8 {
		t.Errorf("what stands is %v", resources)
	}
}
