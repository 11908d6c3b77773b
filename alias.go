package aloft

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CurrentAlias is the alias that every stage has: its current release. Stored, it has Version 0 and says which shares of
// invocations other releases get.
const CurrentAlias = "current"

// LatestVersion is what AWS calls the version that was not published. Here it is the current release.
const LatestVersion = "$LATEST"

// maxWeights is how many releases an alias may lead to besides its own. AWS lets one.
const maxWeights = 5

// Alias is a name for a release: of one function, or of all of a stage. Like domains it belongs to the stage, not to a
// release: a rollback leaves it alone.
type Alias struct {
	StageRef
	Function    string          `json:"function,omitempty"` // "" is of all functions of the stage that have no alias of the name
	Name        string          `json:"name"`
	Version     int             `json:"version"`           // the release; 0, of CurrentAlias only: the current one
	Weights     map[int]float64 `json:"weights,omitempty"` // shares, above 0, at most 1 in sum, that other releases get; Version has the rest
	Description string          `json:"description,omitempty"`
	Revision    string          `json:"revision"` // another one after each change; the store's to set
	UpdatedAt   time.Time       `json:"updatedAt"`
}

// CheckAliasName returns an Invalid error unless name may name an alias, by AWS's rule.
func CheckAliasName(name string) error {
	if name != "" && len(name) <= 128 && consists(name, lowerCase+upperCase+digits+"_-") && !consists(name, digits) {
		return nil
	}
	return Errorf(Invalid, "alias name %q is not allowed", name).
		WithHint("use 1 to 128 letters, digits, dashes and underscores, and not digits alone: those are releases")
}

// Check returns an Invalid error unless a store may keep the alias. Whether its releases exist it cannot say.
func (a Alias) Check() error {
	if err := a.StageRef.Check(); err != nil {
		return err
	}
	if a.Function != "" {
		if err := CheckName("function", a.Function); err != nil {
			return err
		}
	}
	if err := CheckAliasName(a.Name); err != nil {
		return err
	}
	switch {
	case a.Version < 0:
		return Errorf(Invalid, "the alias %s cannot name release v%d", a.Name, a.Version)
	case a.Version != 0 && a.Name == CurrentAlias:
		return Errorf(Invalid, "the alias %s is the current release, whichever that is", CurrentAlias).WithHint("aloft rollback makes another release current")
	case a.Version == 0 && a.Name != CurrentAlias:
		return Errorf(Invalid, "the alias %s names no release", a.Name)
	case len(a.Weights) > maxWeights:
		return Errorf(Invalid, "the alias %s leads to %d releases besides its own, %d are the most", a.Name, len(a.Weights), maxWeights)
	}
	return a.checkWeights()
}

func (a Alias) checkWeights() error {
	sum := 0.0
	for version, share := range a.Weights {
		switch {
		case version < 1 || version == a.Version:
			return Errorf(Invalid, "the alias %s cannot give a share to release v%d besides", a.Name, version)
		case !(share > 0 && share <= 1): // NaN too
			return Errorf(Invalid, "v%d cannot get the share %v of the alias %s", version, share, a.Name).WithHint("a share is above 0 and at most 1 (100%%)")
		}
		sum += share
	}
	const rounding = 1e-9
	if sum > 1+rounding {
		return Errorf(Invalid, "the shares of the alias %s are %.4g in sum, 1 (100%%) is the most", a.Name, sum)
	}
	return nil
}

// Creates returns the Conflict of stores that hold the alias already.
func (a Alias) Creates(exists bool) error {
	if exists {
		return Errorf(Conflict, "stage %s has an alias %q already", a.StageRef, a.Name)
	}
	return nil
}

// Replaces returns the error of stores in which it cannot take the place of the alias of a revision.
func (a Alias) Replaces(revision string, exists bool) error {
	switch {
	case !exists:
		return NoAlias(a.StageRef, a.Name)
	case a.Revision != "" && a.Revision != revision:
		return Errorf(Conflict, "the alias %q was changed meanwhile", a.Name)
	}
	return nil
}

// NoAlias is the NotFound of stores.
func NoAlias(ref StageRef, name string) error {
	return Errorf(NotFound, "stage %s has no alias %q", ref, name)
}

// Pick is the release for an invocation, by the weights. At is where it falls, from 0 to below 1, at random.
func (a Alias) Pick(at float64) int {
	for _, version := range slices.Sorted(maps.Keys(a.Weights)) {
		if at -= a.Weights[version]; at < 0 {
			return version
		}
	}
	return a.Version
}

// Versions are the releases that the alias names: its own first, unless that is the current one.
func (a Alias) Versions() []int {
	versions := slices.Sorted(maps.Keys(a.Weights))
	if a.Version == 0 {
		return versions
	}
	return slices.Insert(versions, 0, a.Version)
}

// Clone returns a copy that shares no memory with a.
func (a Alias) Clone() Alias {
	a.Weights = maps.Clone(a.Weights)
	return a
}

// FindAlias finds the alias of a name that holds for a function: its own, else the stage's.
func FindAlias(aliases []Alias, function, name string) (Alias, bool) {
	var found Alias
	for _, a := range aliases {
		if a.Name == name && (a.Function == function || a.Function == "" && found.Name == "") {
			found = a
		}
	}
	return found, found.Name != ""
}

// ParseVersion reads "4" or "v4".
func ParseVersion(text string) (version int, ok bool) {
	digits := strings.TrimPrefix(text, "v")
	version, err := strconv.Atoi(digits)
	return version, err == nil && version > 0 && strings.Trim(digits, "0123456789") == ""
}

// AliasStore keeps aliases. A stage's go with the stage.
type AliasStore interface {
	// CreateAlias stores a new alias and returns it with its revision. It returns Invalid for one that Check refuses, NotFound
	// if there is no such stage or release, and Conflict if the alias exists or a release did not succeed.
	CreateAlias(ctx context.Context, alias Alias) (Alias, error)
	// UpdateAlias replaces an alias, as CreateAlias does. It returns NotFound if there is none, and Conflict if alias.Revision
	// is set and not that of the stored one.
	UpdateAlias(ctx context.Context, alias Alias) (Alias, error)
	// DeleteAlias returns NotFound if there is none.
	DeleteAlias(ctx context.Context, ref StageRef, function, name string) error
	// Aliases lists a stage's aliases by function and name. It returns NotFound if there is no stage.
	Aliases(ctx context.Context, ref StageRef) ([]Alias, error)
}

// NewID returns a random identifier in the form of a UUID (RFC 9562, version 4).
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
