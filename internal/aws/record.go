package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/aloft-run/aloft"
)

// record is which versions of its functions a release had: kept in the bucket of the home region, for rollbacks.
type record struct {
	Release int                       `json:"release"`
	Regions map[string]regionalRecord `json:"regions"`
}

type regionalRecord struct {
	Fingerprint string            `json:"fingerprint"` // of the stack
	Versions    map[string]string `json:"versions"`    // of Lambda, by function
}

func (r record) same(region, fingerprint, function, version string) bool {
	one := r.Regions[region]
	return one.Fingerprint == fingerprint && one.Versions[function] == version
}

func recordKey(ref aloft.StageRef, version int) string {
	return fmt.Sprintf("state/deployed/%s/%s/%d.json", ref.App, ref.Stage, version)
}

// putRecord writes down what serves now.
func (d *deployment) putRecord(ctx context.Context) error {
	made := record{Release: d.release.Version, Regions: map[string]regionalRecord{}}
	for _, r := range d.regions {
		made.Regions[r.name] = regionalRecord{Fingerprint: r.fingerprint, Versions: r.moves} // move led the aliases there
	}
	return d.platform.putRecord(ctx, d.release, made)
}

func (p *Platform) putRecord(ctx context.Context, release aloft.Release, made record) error {
	text, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("write down what serves: %w", err)
	}
	err = p.in(release.AWS.Regions[0]).objects.Put(ctx, recordKey(release.StageRef, release.Version), int64(len(text)), func() (io.ReadCloser, error) {
		return inMemory{bytes.NewReader(text)}, nil
	})
	return p.Session.explain(err, "write down what serves")
}

// Note writes down that the versions which serve in a release's stacks are the release's, whoever made them.
func (p *Platform) Note(ctx context.Context, release aloft.Release) error {
	made := record{Release: release.Version, Regions: map[string]regionalRecord{}}
	for _, name := range release.AWS.Regions {
		versions := map[string]string{}
		for _, f := range lambdaFunctions(release) {
			alias, err := p.in(name).alias(ctx, release.NameOf(f))
			if err != nil {
				return err
			}
			if alias != nil {
				versions[f.Name] = sdk.ToString(alias.FunctionVersion)
			}
		}
		made.Regions[name] = regionalRecord{Versions: versions}
	}
	return p.putRecord(ctx, release, made)
}

// recordOf reads the record of a release by its title; the zero record if there is none.
func (p *Platform) recordOf(ctx context.Context, ref aloft.StageRef, title string) (record, error) {
	version, err := strconv.Atoi(strings.TrimPrefix(title, "v"))
	if err != nil {
		return record{}, nil //nolint:nilerr // a description of somebody else's
	}
	release, err := p.Releases.Release(ctx, ref, version)
	if err != nil {
		return record{}, ignoreMissing(err)
	}
	return p.versionsOf(ctx, release)
}

// versionsOf reads the record of a release; the zero record if there is none.
func (p *Platform) versionsOf(ctx context.Context, release aloft.Release) (record, error) {
	if release.AWS == nil || len(release.AWS.Regions) == 0 {
		return record{}, nil
	}
	body, err := p.in(release.AWS.Regions[0]).objects.Get(ctx, recordKey(release.StageRef, release.Version))
	if err != nil {
		return record{}, ignoreMissing(err)
	}
	defer body.Close()
	var found record
	err = json.NewDecoder(body).Decode(&found)
	return found, failed(err, "read what "+title(release)+" had")
}

func ignoreMissing(err error) error {
	if aloft.ErrorCode(err) == aloft.NotFound {
		return nil
	}
	return err
}
