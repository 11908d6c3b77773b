package hostile_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/awstest"
)

// awsScenario is a command at which requests go wrong, again and again in one stage or in a new account each time.
type awsScenario struct {
	name    string
	fresh   bool // a new account each time
	regions int
	some    []awsFault // of the small run
	before  func(s *awsShop)
	// next prepares the command of a round, and says what the app answers before and after it.
	next func(s *awsShop, round int) awsRound
}

type awsRound struct {
	args     []string
	old, new string // "": it does not answer
}

func awsScenarios() []awsScenario {
	upOnce := func(s *awsShop) { s.edit(s.t, "one"); s.up() }
	code := func(s *awsShop, round int) awsRound {
		old, version := s.now, fmt.Sprintf("code-%d", round)
		s.edit(s.t, version)
		return awsRound{[]string{"up", "production"}, old, version}
	}
	return []awsScenario{
		{name: "first deploy", fresh: true, regions: 1, some: []awsFault{killAfter, denied, lost}, before: func(*awsShop) {}, next: code},
		{name: "code", regions: 1, some: []awsFault{killBefore, lost, killAfter}, before: upOnce, next: code},
		{name: "config", regions: 1, some: []awsFault{expired, killAfter, denied}, before: upOnce, next: func(s *awsShop, round int) awsRound {
			colour := fmt.Sprintf("colour-%d", round)
			return awsRound{[]string{"config", "set", "COLOUR=" + colour, "--stage", "production"}, s.now, "one " + colour}
		}},
		{name: "rollback", regions: 1, some: []awsFault{throttled, killAfter}, before: func(s *awsShop) { upOnce(s); s.edit(s.t, "two"); s.up() }, next: func(s *awsShop, _ int) awsRound {
			if s.now == "one" {
				return awsRound{[]string{"rollback", "v2", "--stage", "production"}, "one", "two"}
			}
			return awsRound{[]string{"rollback", "v1", "--stage", "production"}, s.now, "one"}
		}},
		{name: "two regions", regions: 2, some: []awsFault{killAfter, denied}, before: upOnce, next: code},
		{name: "destroy", fresh: true, regions: 1, some: []awsFault{expired, killAfter, broken}, before: upOnce, next: func(s *awsShop, _ int) awsRound {
			return awsRound{[]string{"destroy", "production", "--yes"}, s.now, ""}
		}},
	}
}

// TestAWSFaults lets requests of commands for a stage on AWS go wrong, one at a time. What served goes on serving, the same command
// then succeeds, and nothing is left over. At full size every request goes wrong in every way, some 2,000 cases in an hour or two;
// ALOFT_FAULTS names scenarios, by commas, and ALOFT_FAULT_STEP=N takes every Nth case.
func TestAWSFaults(t *testing.T) {
	t.Parallel()
	only := os.Getenv("ALOFT_FAULTS")
	for _, scenario := range awsScenarios() {
		if only != "" && !slices.Contains(strings.Split(only, ","), scenario.name) {
			continue
		}
		t.Run(scenario.name, func(t *testing.T) {
			t.Parallel()
			cloud := awstest.Emulator(t)
			cloud.NeedMiniStack(t)
			newAWSRun(t, cloud, scenario).all()
		})
	}
}
