package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/cost"
)

// What a request is taken to be where nobody measured.
const (
	assumedDuration = aloft.Duration(100 * time.Millisecond)
	assumedLog      = 300 // bytes: Lambda's own lines
	million         = 1_000_000
)

// costChange prices what stands in all regions, and a million requests, before and after.
func costChange(previews []*preview, used usage) (*aloft.CostChange, error) {
	before, after := cost.Stage{Resources: map[cost.ID]cost.Amount{}}, cost.Stage{Resources: map[cost.ID]cost.Amount{}}
	change := &aloft.CostChange{Date: cost.Date, Lines: []aloft.CostLine{}, Assumed: []string{}}
	for _, v := range previews {
		was := v.before
		stand(&before, was)
		change.Unpriced = append(change.Unpriced, stand(&after, v.out.Template)...)
		if v.secretIs {
			before.Resources[cost.Secret] = before.Resources[cost.Secret].Plus(cost.Int(1))
		}
		if v.secretIn {
			after.Resources[cost.Secret] = after.Resources[cost.Secret].Plus(cost.Int(1))
		}
	}
	slices.Sort(change.Unpriced)
	change.Unpriced = slices.Compact(change.Unpriced)
	standing, err := cost.Delta(before, after)
	if err != nil {
		return nil, err
	}
	keys, regions, err := accountKeys(previews)
	if err != nil {
		return nil, err
	}
	change.Standing = pair(standing.Before.Month, standing.After.Month.Plus(keys))
	for _, line := range standing.Lines {
		change.Lines = append(change.Lines, aloft.CostLine{What: strings.TrimSpace(line.Service + " " + line.What), CostPair: pair(line.Before.Month, line.After.Month)})
	}
	if len(regions) > 0 {
		what := "KMS key of the account in " + strings.Join(regions, ", ") + ", once for all apps"
		change.Lines = append(change.Lines, aloft.CostLine{What: what, CostPair: pair(cost.Amount{}, keys)})
	}
	d := previews[0].deployment
	requests, err := cost.Delta(perMillion(d.current, used), perMillion(d.release, used))
	if err != nil {
		return nil, err
	}
	change.Million = pair(requests.Before.Month, requests.After.Month)
	change.Assumed = append(used.said(asked(d.release)),
		fmt.Sprintf("prices of %s on %s, before tax and without the free tier; a month has %d days", cost.Region, cost.Date, cost.DaysPerMonth))
	return change, nil
}

// accountKeys prices the keys that the account gets along with the stage, and names their regions. One that is there is the
// account's, whatever becomes of the stage.
func accountKeys(previews []*preview) (month cost.Amount, regions []string, err error) {
	for _, v := range previews {
		if v.newAccount {
			regions = append(regions, v.name)
		}
	}
	priced, err := cost.New(cost.Stage{Resources: map[cost.ID]cost.Amount{cost.KMSKey: cost.Int(int64(len(regions)))}})
	return priced.Total.Month, regions, err
}

// lookBeside finds out which secret the stage has beside its stack. What cannot be read is taken for none: a plan does not fail by it.
func (v *preview) lookBeside(ctx context.Context) {
	name := SecretName(v.release.StageRef)
	found, err := v.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if err != nil && !is(err, noResource) {
		v.Logger.Warn("look at the secret", "secret", name, "region", v.name, "error", err)
	}
	v.secretIs = err == nil && found.DeletedDate == nil
	v.secretIn = !v.leaves && (v.secretIs || v.input.Config.Label != "") // config that became small leaves it
}

func pair(before, after cost.Amount) aloft.CostPair {
	return aloft.CostPair{Before: number(before), After: number(after)}
}

func number(a cost.Amount) json.Number {
	const decimals = 4
	return json.Number(strings.ReplaceAll(a.Short(decimals), ",", ""))
}

func stand(s *cost.Stage, t cfn.Template) []string {
	counted, unpriced := cost.Standing(t)
	for id, n := range counted {
		s.Resources[id] = s.Resources[id].Plus(n)
	}
	return unpriced
}

// asked are the functions that requests come to.
func asked(r aloft.Release) []aloft.Function {
	return slices.DeleteFunc(slices.Clone(r.Tuned()), func(f aloft.Function) bool { return f.Kind != aloft.Web && f.Kind != aloft.Handler })
}

// perMillion is a stage that gets a million requests in a month. Instances that are kept ready stand, so they are in it too.
func perMillion(r aloft.Release, used usage) cost.Stage {
	var s cost.Stage
	if r.AWS == nil {
		return s
	}
	functions := asked(r)
	parts, all := used.parts(functions)
	for _, f := range functions {
		u := cost.Usage{
			Function: f.Name, Requests: cost.Int(million * parts[f.Name]).Over(cost.Int(int64(cost.DaysPerMonth) * all)), Duration: used.duration(f.Name),
			Memory: max(f.Memory, cost.MinMemory), Arch: cost.Arch(architecture(r)), Endpoint: cost.Endpoint(r.AWS.Endpoint), LogBytes: assumedLog,
		}
		if f.Memory == 0 {
			u.Memory = cost.DefaultMemory
		}
		if r.AWS.Endpoint == "" {
			u.Endpoint = cost.HTTPAPI
		}
		if f.Lambda != nil {
			u.Provisioned = f.Lambda.Provisioned
		}
		s.Functions = append(s.Functions, u)
	}
	return s
}
