package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/cfndiff"
)

// adoption is a stack that is about to be made or changed, and may find stores that an earlier one of its name left, or it itself.
type adoption struct {
	stack    string
	template cfn.Template
	tags     map[string]string // what of the stack's own stores have; all of them must be there
	report   aloft.Reporter
}

// identifiers say, of types that stay when their stack goes, which property is the name by which CloudFormation imports them.
// See "Resource type support" for imports in its guide.
func identifiers() map[string]string {
	return map[string]string{
		"AWS::S3::Bucket": "BucketName", "AWS::DynamoDB::Table": "TableName", "AWS::KMS::Key": "KeyId", "AWS::SQS::Queue": "QueueUrl",
		"AWS::Kinesis::Stream": "Name", "AWS::RDS::DBCluster": "DBClusterIdentifier", "AWS::RDS::DBInstance": "DBInstanceIdentifier",
		"AWS::RDS::DBSubnetGroup":     "DBSubnetGroupName",
		"AWS::SecretsManager::Secret": "Id", "AWS::SNS::Topic": "TopicArn", "AWS::Logs::LogGroup": "LogGroupName",
	}
}

// Retained is a store that outlived its stack.
type Retained struct {
	Region  string `json:"region"`
	ARN     string `json:"arn"`
	Logical string `json:"logical"` // its logical id in the stack that made it
}

// retained lists what has all the tags and is of a stack that is gone, or of none.
func (r *region) retained(ctx context.Context, stack string, want map[string]string) ([]Retained, error) {
	var filters []tagtypes.TagFilter
	for _, key := range slices.Sorted(maps.Keys(want)) {
		filters = append(filters, tagtypes.TagFilter{Key: &key, Values: []string{want[key]}})
	}
	var all []Retained
	pages := resourcegroupstaggingapi.NewGetResourcesPaginator(r.tagged, &resourcegroupstaggingapi.GetResourcesInput{TagFilters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.Session.explain(err, "look for stores of "+stack+" in "+r.name)
		}
		for _, m := range page.ResourceTagMappingList {
			one := Retained{Region: r.name, ARN: *m.ResourceARN}
			for _, tag := range m.Tags {
				if *tag.Key == "aws:cloudformation:logical-id" {
					one.Logical = *tag.Value
				}
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// adopt takes stores that an earlier stack of the name left, or that the stack once had, into the stack by an import, and reports
// whether there were any. found is the stack, nil if there is none.
func (r *region) adopt(ctx context.Context, found *types.Stack, a adoption) (bool, error) {
	base, left, err := r.leftFor(ctx, found, a)
	if err != nil {
		return false, err
	}
	for {
		subset, imports, err := r.adoptable(base, a, left)
		if err != nil || len(imports) == 0 {
			return false, err
		}
		text, err := subset.JSON()
		if err != nil {
			return false, err
		}
		err = r.execute(ctx, found, change{stack: a.stack, title: "import", template: text, imports: imports}, a.report)
		if err == nil {
			for _, one := range imports {
				name := strings.Join(slices.Sorted(maps.Values(one.ResourceIdentifier)), " ")
				a.report.Report(aloft.Notice{Text: fmt.Sprintf("%s: %s (%s %s) was there from before and is taken into the stack %s", r.name, *one.LogicalResourceId, *one.ResourceType, name, a.stack)})
			}
			return true, nil
		}
		if ctx.Err() != nil || aloft.ErrorCode(err) != aloft.Failed {
			return false, err
		}
		// AWS finds things by their tags for a while after they are gone.
		there := slices.DeleteFunc(slices.Clone(left), func(store Retained) bool { return saysMissing(err, store) })
		if len(there) == len(left) {
			return false, err
		}
		left = there
	}
}

// leftFor is the template that a stack has, and what of the stores that it lacks may be there.
func (r *region) leftFor(ctx context.Context, found *types.Stack, a adoption) (base cfn.Template, left []Retained, err error) {
	base.Description = a.template.Description
	if found != nil && conditionOf(found.StackStatus) != inReview {
		if base, err = r.template(ctx, a.stack); err != nil {
			return base, nil, err
		}
	}
	if !adds(base, a.template) {
		return base, nil, nil
	}
	left, err = r.retained(ctx, a.stack, a.tags)
	return base, left, err
}

// adds reports whether a template has stores that another one lacks.
func adds(base, template cfn.Template) bool {
	for id, resource := range template.Resources {
		if _, has := base.Resources[id]; !has && keeps(resource) {
			return true
		}
	}
	return false
}

// keeps reports whether a resource stays when its stack goes, and can be imported.
func keeps(resource cfn.Resource) bool {
	return identifiers()[resource.Type] != "" && strings.HasPrefix(resource.DeletionPolicy, "Retain")
}

// saysMissing reports whether an import failed as a store is gone.
func saysMissing(err error, store Retained) bool {
	name := store.ARN[strings.LastIndexAny(store.ARN, ":/")+1:]
	for line := range strings.Lines(err.Error()) {
		missing := strings.Contains(line, "not found") || strings.Contains(line, "does not exist") || strings.Contains(line, "NotFound")
		if missing && (strings.Contains(line, name) || store.Logical != "" && strings.Contains(line, store.Logical+" (")) {
			return true
		}
	}
	return false
}

// adoptable is a template with the stores that are left, and what identifies them. Of the stack's template only what stays on
// deletion can be among them. A store is not imported without what cannot be set later: the change after the import would replace
// it by an empty one.
func (r *region) adoptable(base cfn.Template, a adoption, left []Retained) (subset cfn.Template, imports []types.ResourceToImport, err error) {
	subset = base
	subset.Resources = maps.Clone(base.Resources)
	if subset.Resources == nil {
		subset.Resources = map[string]cfn.Resource{}
	}
	var added []string
	for _, store := range left {
		id := r.logical(a.template, store)
		resource := a.template.Resources[id]
		if _, twice := subset.Resources[id]; id == "" || twice {
			continue
		}
		subset.Resources[id] = resource
		added = append(added, id)
		imports = append(imports, types.ResourceToImport{
			LogicalResourceId: &id, ResourceType: &resource.Type,
			ResourceIdentifier: map[string]string{identifiers()[resource.Type]: identifier(resource.Type, store.ARN)},
		})
	}
	table, err := cfndiff.Replacements()
	if err != nil {
		return subset, nil, err
	}
	for _, id := range added {
		whole := a.template.Resources[id]
		subset.Resources[id] = importable(whole, subset)
		if lost := table.Fixed(whole, subset.Resources[id]); len(lost) > 0 {
			return subset, nil, aloft.Errorf(aloft.Conflict, "%s: %s (%s) is there from before, but what its %s leads to is not: the stack would replace it by an empty one", r.name, id, whole.Type, strings.Join(lost, ", ")).
				WithHint("bring that back, or take the tags aloft:app and aloft:stage off what is there; then a new one is made beside it, and its data can be copied")
		}
	}
	return subset, imports, nil
}

// logical is the logical id in a template of a store that outlived its stack: the one that it had, or the one whose name it
// has. It is "" if the template does not keep it.
func (r *region) logical(template cfn.Template, store Retained) string {
	if keeps(template.Resources[store.Logical]) {
		return store.Logical
	}
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		resource := template.Resources[id]
		named := r.text(resource.Properties[identifiers()[resource.Type]])
		if keeps(resource) && named != "" && named == identifier(resource.Type, store.ARN) && strings.Contains(store.ARN, service(resource.Type)) {
			return id
		}
	}
	return ""
}

// service is that part of an ARN which says whose it is: ":s3:".
func service(kind string) string {
	_, rest, _ := strings.Cut(kind, "::")
	name, _, _ := strings.Cut(strings.ToLower(rest), "::")
	return ":" + name + ":"
}

// text is the value of a property that is text, as a whole or with account and region in it; "" for all others.
func (r *region) text(value any) string {
	if m, ok := value.(map[string]any); ok {
		value = m["Fn::Sub"]
	}
	text, _ := value.(string)
	text = strings.NewReplacer("${AWS::AccountId}", r.Session.Account, "${AWS::Region}", r.name).Replace(text)
	if strings.Contains(text, "${") {
		return ""
	}
	return text
}

// importable is a resource without the properties that lead to others which are not imported with it: the change that follows
// the import sets them, if they can be set later.
func importable(resource cfn.Resource, subset cfn.Template) cfn.Resource {
	properties := map[string]any{}
	for name, value := range resource.Properties {
		if !leadsOut(value, subset) {
			properties[name] = value
		}
	}
	resource.Properties, resource.DependsOn, resource.Condition = properties, nil, ""
	return resource
}

// leadsOut reports whether a value refers to what a template does not have. Pseudo parameters are everywhere.
func leadsOut(value any, subset cfn.Template) bool {
	has := func(id string) bool {
		id, _, _ = strings.Cut(id, ".")
		_, ok := subset.Resources[id]
		return ok || strings.HasPrefix(id, "AWS::")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return true
	}
	for _, found := range references.FindAllStringSubmatch(string(text), -1) {
		if !has(cmp.Or(found[1:]...)) {
			return true
		}
	}
	return false
}

// references are Ref, Fn::GetAtt and the names in Fn::Sub, as JSON has them.
var references = regexp.MustCompile(`"Ref":"([^"]+)"|"Fn::GetAtt":\["([^"]+)"|\$\{([^}!]+)\}`)

// identifier is what names a resource for an import, taken from its ARN.
func identifier(kind, arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arn
	}
	rest := parts[5]
	switch kind {
	case "AWS::SNS::Topic", "AWS::SecretsManager::Secret":
		return arn
	case "AWS::SQS::Queue":
		return fmt.Sprintf("https://sqs.%s.%s/%s/%s", parts[3], domain(parts[3]), parts[4], rest)
	case "AWS::Logs::LogGroup":
		return strings.TrimSuffix(strings.TrimPrefix(rest, "log-group:"), ":*")
	case "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::RDS::DBSubnetGroup":
		return rest[strings.LastIndex(rest, ":")+1:]
	}
	return rest[strings.LastIndex(rest, "/")+1:]
}
