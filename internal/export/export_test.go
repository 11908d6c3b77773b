package export_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/export"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// shop is an app with a variable and a store.
func shop(regions ...string) export.Input {
	digest := strings.Repeat("0123456789abcdef", 4)
	return export.Input{
		Release: aloft.Release{
			StageRef: aloft.StageRef{App: "shop", Stage: "production"}, Platform: aloft.OnAWS, AWS: &aloft.AWS{Regions: regions, Architecture: aloft.ARM64},
			Artifact: aloft.Artifact{Digest: digest}, Functions: []aloft.Function{{Name: "web", Kind: aloft.Web, Command: []string{"./server"}, Uses: []string{"uploads"}}},
			Resources: []aloft.Resource{{Name: "uploads", Type: aloft.Bucket}},
		},
		Stack: "shop-production", Config: []string{"COLOR"}, Shim: export.Zip{Digest: strings.Repeat("ab", 32), Size: 1}, Sizes: map[string]int64{digest: 1},
		Render: func(in stack.Input) (stack.Output, error) {
			in.Kinds = standard.CloudKinds()
			in.Sources = func(uri string) (eventsource.Source, error) {
				return nil, fmt.Errorf("no sources in this test: %s", uri)
			}
			return stack.Render(in)
		},
	}
}

// TestRegions exports an app of two regions: each has a directory of its own, as code is in a bucket of each and names differ, and
// the zips are there once.
func TestRegions(t *testing.T) {
	t.Parallel()
	for format, names := range map[export.Format][]string{
		export.CloudFormation: {"parameters.json", "template.json"}, export.Terraform: {"main.tf", "outputs.tf", "variables.tf"},
	} {
		in, rendered := shop("us-east-1", "eu-west-1"), map[string]bool{}
		render := in.Render
		in.Render = func(one stack.Input) (stack.Output, error) {
			rendered[one.Region] = true
			return render(one)
		}
		out, err := export.Make(format, in)
		if err != nil || len(rendered) != 2 {
			t.Fatalf("rendered for %v: %v", rendered, err)
		}
		want := []string{"README.md"}
		for _, region := range []string{"eu-west-1", "us-east-1"} {
			for _, name := range names {
				want = append(want, region+"/"+name)
				other := strings.NewReplacer("eu-west-1", "us-east-1", "us-east-1", "eu-west-1").Replace(region)
				// The record for aloft import stack says in which regions the stage is.
				text := strings.ReplaceAll(string(out.Files[region+"/"+name]), regionsInRecord, "")
				if text == "" || strings.Contains(text, other) {
					t.Errorf("%s/%s says something of %s:\n%s", region, name, other, text)
				}
			}
		}
		if got := slices.Sorted(maps.Keys(out.Files)); !slices.Equal(got, want) {
			t.Errorf("%s: files %q, want %q", format, got, want)
		}
		if len(out.Zips) != 2 || len(out.Parameters) != 1 {
			t.Errorf("%s: zips %v, parameters %q", format, out.Zips, out.Parameters)
		}
		for at := range out.Zips {
			main := string(out.Files["eu-west-1/main.tf"])
			if format == export.Terraform && !strings.Contains(main, `${path.module}/../`+at) && !strings.Contains(main, `"../`+at) {
				t.Errorf("the configuration of a region does not find %s:\n%s", at, main)
			}
		}
	}
}

// regionsInRecord are the two regions as a template's metadata has them.
const regionsInRecord = `"regions": [
            "us-east-1",
            "eu-west-1"
          ]`

// TestReadMeOfRegions: whoever follows it types what is right for each region.
func TestReadMeOfRegions(t *testing.T) {
	t.Parallel()
	for format, lines := range map[export.Format][]string{
		export.CloudFormation: {
			"--template-file REGION/template.json", "file:///PATH/REGION/parameters.json", "s3 cp --recursive code s3://BUCKET/ --region REGION", "delete-stack --region REGION",
		},
		export.Terraform: {"cd REGION\nterraform init\nterraform apply\ncd .."},
	} {
		several, err := export.Make(format, shop("us-east-1", "eu-west-1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			for _, region := range []string{"us-east-1", "eu-west-1"} {
				if want := strings.ReplaceAll(line, "REGION", region); !strings.Contains(string(several.Files["README.md"]), want) {
					t.Errorf("%s: %q is missing:\n%s", format, want, several.Files["README.md"])
				}
			}
		}
	}
	alone, err := export.Make(export.CloudFormation, shop("us-east-1"))
	if err != nil {
		t.Fatal(err)
	}
	var parameters []string
	if err := json.Unmarshal(alone.Files["parameters.json"], &parameters); err != nil || len(parameters) != 3 || alone.Files["template.json"] == nil {
		t.Errorf("of one region: %v, %q, %q", err, parameters, slices.Sorted(maps.Keys(alone.Files)))
	}
}

// TestSameText: an export of the same release is the same text, else a deploy of it asks for versions of functions that did not change.
func TestSameText(t *testing.T) {
	t.Parallel()
	first := ""
	for range 20 {
		out, err := export.Make(export.CloudFormation, shop("eu-west-1"))
		if err != nil {
			t.Fatal(err)
		}
		text := string(out.Files["template.json"])
		if first == "" {
			first = text
		}
		if text != first || text == "" {
			t.Fatalf("it differs:\n%s\n%s", first, text)
		}
	}
}
