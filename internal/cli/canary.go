package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

// canaryOptions are the flags of commands that can try a release in part.
type canaryOptions struct {
	share, length string
	given         func(flag string) bool
}

const canaryHelp = `With --canary 10% (on AWS) the release gets that share of requests and events for --for, while the one before has the
others. If an alarm of the stage goes off meanwhile, or the release's own functions fail or answer with 500 or more,
it is taken back and the command fails; else it gets all.`

func (o *canaryOptions) flags(c *cobra.Command) {
	o.given = c.Flags().Changed
	c.Flags().StringVar(&o.share, "canary", "", "give the release a share of requests first, such as 10% (AWS)")
	c.Flags().StringVar(&o.length, "for", "5m", "how long a canary is watched, at most 24h")
}

// read returns nil without --canary.
func (o *canaryOptions) read() (*aloft.Canary, error) {
	if !o.given("canary") {
		if o.given("for") {
			return nil, aloft.Errorf(aloft.Invalid, "--for is how long a canary is watched, and there is none").WithHint("add a share: --canary 10%%")
		}
		return nil, nil //nolint:nilnil // no canary is an answer
	}
	share, err := readShare(o.share)
	if err != nil {
		return nil, aloft.Errorf(aloft.Invalid, "--canary %q is no share", o.share).WithHint("such as 10%% or 0.1")
	}
	length, err := time.ParseDuration(o.length)
	if err != nil {
		return nil, aloft.Errorf(aloft.Invalid, "--for %q is no time", o.length).WithHint("such as 5m")
	}
	canary := &aloft.Canary{Share: share, For: aloft.Duration(length)}
	return canary, canary.Check()
}

// readShare reads "10%" or "0.1".
func readShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	return share, err
}
