package resource

import (
	"maps"
	"slices"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// Private is what keeps a store inside the private network of the functions.
type Private struct {
	Resources map[string]cfn.Resource
	Group     any      // id of its security group, which lets the functions in
	Subnets   []string // where it has addresses
}

// Private lets the functions reach a range of ports. It returns Invalid if the app has no private network. The security group is made in the network of the first subnet,
// whose id CloudFormation learns of a network interface that is there for nothing else and costs nothing: aloft.yml does not
// have to say it, and no call has to look it up.
func (in Rendering) Private(from, to int) (Private, error) {
	if in.VPC == nil || len(in.VPC.Subnets) == 0 || len(in.VPC.SecurityGroups) == 0 {
		return Private{}, aloft.Errorf(aloft.Invalid, "%s %q needs a private network, and the app has none on AWS", in.Resource.Type, in.Resource.Name).
			WithHint("name subnets, of two availability zones at least, and security groups in the section aws, vpc of aloft.yml")
	}
	group, card := in.ID+"Group", in.ID+"Interface"
	var rules []any
	for _, source := range slices.Sorted(slices.Values(in.VPC.SecurityGroups)) {
		rules = append(rules, map[string]any{
			"IpProtocol": "tcp", "FromPort": from, "ToPort": to, "SourceSecurityGroupId": source, "Description": "functions of " + in.Stage.Label(),
		})
	}
	what := in.Resource.Type + " " + in.Resource.Name + " of " + in.Stage.Label()
	return Private{
		Resources: map[string]cfn.Resource{
			card: {Type: "AWS::EC2::NetworkInterface", Properties: map[string]any{
				"SubnetId": in.VPC.Subnets[0], "GroupSet": []string{in.VPC.SecurityGroups[0]},
				"Description": what + ": tells the stack its network, is not used",
			}},
			group: in.Store("AWS::EC2::SecurityGroup", map[string]any{
				"GroupDescription": what, "VpcId": cfn.GetAtt(card, "VpcId"), "SecurityGroupIngress": rules,
			}),
		},
		Group:   cfn.GetAtt(group, "GroupId"),
		Subnets: in.VPC.Subnets,
	}, nil
}

// With adds resources to others.
func With(all map[string]cfn.Resource, more ...map[string]cfn.Resource) map[string]cfn.Resource {
	for _, m := range more {
		maps.Copy(all, m)
	}
	return all
}
