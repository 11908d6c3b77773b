package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// rolePolicy is a policy inside of a role. Its statements are compared and put back as they are.
type rolePolicy struct {
	PolicyName     string
	PolicyDocument struct {
		Version   string
		Statement statements
	}
}

// statements are those of a policy. IAM takes a single one without a list around it, too.
type statements []any

func (s *statements) UnmarshalJSON(text []byte) error {
	var one any
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	*s = list(one)
	return nil
}

// list is what IAM takes one or several of.
func list(value any) []any {
	switch several, is := value.([]any); {
	case is:
		return several
	case value == nil:
		return nil
	}
	return []any{value}
}

// mendRoles compares what the functions that visitors meet may do with what the stack gave them, and puts back what is missing.
// CloudFormation compares: it alone knows a stack's references as text.
func (r *regional) mendRoles(ctx context.Context) (bool, error) {
	mended := false
	for _, id := range r.rolesMet() {
		name := StackName(r.release)
		out, err := r.stacks.DetectStackResourceDrift(ctx, &cloudformation.DetectStackResourceDriftInput{StackName: &name, LogicalResourceId: &id})
		if err != nil {
			return mended, r.Session.explain(err, "compare the role "+id+" of the stack "+name+" in "+r.name+" with its template")
		}
		did, err := r.mendRole(ctx, id, out.StackResourceDrift)
		mended = mended || did
		if err != nil {
			return mended, err
		}
	}
	return mended, nil
}

// rolesMet are the logical ids of the roles of web functions, or of all functions if there are none of those.
func (r *regional) rolesMet() []string {
	functions := r.release.Tuned()
	web := func(f aloft.Function) bool { return f.Kind == aloft.Web }
	if slices.ContainsFunc(functions, web) {
		functions = slices.DeleteFunc(functions, func(f aloft.Function) bool { return !web(f) })
	}
	var all []string
	for _, f := range functions {
		resource := r.out.Template.Resources[r.out.Functions[f.Name].Function]
		for id, role := range r.out.Template.Resources {
			if role.Type == "AWS::IAM::Role" && asText(resource.Properties["Role"]) == asText(cfn.GetAtt(id, "Arn")) {
				all = append(all, id)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mendRole puts the statements back that a role has lost. What somebody added, or restricted, stays.
func (r *regional) mendRole(ctx context.Context, id string, drift *types.StackResourceDrift) (mended bool, err error) {
	if drift == nil {
		return false, nil
	}
	role := sdk.ToString(drift.PhysicalResourceId)
	switch drift.StackResourceDriftStatus { // of others nothing is known to be missing
	default:
		return false, nil
	case types.StackResourceDriftStatusModified:
	case types.StackResourceDriftStatusDeleted:
		return false, aloft.Errorf(aloft.Failed, "%s: the role %s (%s) is gone, and its function cannot run without it", r.name, role, id).
			WithHint("make a role of that name again, with what aloft iam %s lists, or destroy the stage and deploy it anew", r.release.Stage)
	}
	var want, has struct{ Policies []rolePolicy }
	for text, to := range map[*string]any{drift.ExpectedProperties: &want, drift.ActualProperties: &has} {
		if err := json.Unmarshal([]byte(sdk.ToString(text)), to); err != nil {
			return false, fmt.Errorf("%s: read what the role %s may do: %w", r.name, role, err)
		}
	}
	for _, policy := range want.Policies {
		lost, changed, whole := restored(policy, has.Policies)
		for _, statement := range changed {
			r.report.Report(aloft.Warning{Text: fmt.Sprintf("%s: somebody changed what the role %s may do, and that stays; the stack gave it the statement %s", r.name, role, asText(statement))})
		}
		for _, statement := range lost {
			r.report.Report(aloft.Warning{Text: fmt.Sprintf("%s: the role %s lacks the statement %s; putting it back", r.name, role, asText(statement))})
		}
		if len(lost) == 0 {
			continue
		}
		document := asText(whole.PolicyDocument)
		if strings.Contains(document, `"Fn::`) || strings.Contains(document, `"Ref":`) {
			return mended, aloft.Errorf(aloft.Failed, "%s: CloudFormation did not say what the policy %s of the role %s is", r.name, policy.PolicyName, role).
				WithHint("put it back by hand: aloft iam %s lists it", r.release.Stage)
		}
		_, err := r.roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: &policy.PolicyName, PolicyDocument: &document})
		if err != nil {
			return mended, r.Session.explain(err, "put the policy "+policy.PolicyName+" of the role "+role+" back")
		}
		mended = true
	}
	return mended, nil
}

// restored is a policy with what a role has under its name, and those of its own statements that are missing there. Those that somebody
// put another in place of are changed: they may be restricted for a reason, and are not put back.
func restored(want rolePolicy, has []rolePolicy) (lost, changed []any, whole rolePolicy) {
	at := slices.IndexFunc(has, func(one rolePolicy) bool { return one.PolicyName == want.PolicyName })
	if at < 0 {
		return want.PolicyDocument.Statement, nil, want
	}
	ours, there := want.PolicyDocument.Statement, has[at].PolicyDocument.Statement
	foreign := slices.DeleteFunc(slices.Clone(there), func(s any) bool { return slices.ContainsFunc(ours, sameAs(s)) })
	for _, statement := range ours {
		switch {
		case slices.ContainsFunc(there, sameAs(statement)):
		case slices.ContainsFunc(foreign, func(s any) bool { return inPlaceOf(s, statement) }):
			changed = append(changed, statement)
		default:
			lost = append(lost, statement)
		}
	}
	whole = want
	whole.PolicyDocument.Statement = append(slices.Clone(there), lost...)
	return lost, changed, whole
}

func sameAs(a any) func(b any) bool {
	text := asText(single(a))
	return func(b any) bool { return asText(single(b)) == text }
}

// inPlaceOf reports whether a statement is another as somebody changed it: it allows some of its actions on the same, or on a part of it.
func inPlaceOf(statement, other any) bool {
	is, was := single(statement), single(other)
	if is["Effect"] != was["Effect"] {
		return false
	}
	action := func(a any) bool { return slices.Contains(list(was["Action"]), a) }
	part := func(a any) bool {
		return slices.ContainsFunc(list(was["Resource"]), func(b any) bool {
			return strings.HasPrefix(fmt.Sprint(a), strings.TrimSuffix(fmt.Sprint(b), "*"))
		})
	}
	return slices.ContainsFunc(list(is["Action"]), action) && slices.ContainsFunc(list(is["Resource"]), part)
}

// single is a statement with lists of one as what is in them: IAM takes both for the same.
func single(statement any) map[string]any {
	plain := map[string]any{}
	fields, _ := statement.(map[string]any)
	for name, value := range fields {
		plain[name] = value
		if several := list(value); len(several) == 1 {
			plain[name] = several[0]
		}
	}
	return plain
}

// asText is JSON that is the same for the same content.
func asText(value any) string {
	text, err := json.Marshal(value)
	if err != nil { // of strings, lists and maps
		return fmt.Sprint(value)
	}
	return string(text)
}
