package stack

import (
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// render is a template in the making.
type render struct {
	in        Input
	aws       aloft.AWS
	functions []aloft.Function // those that become a Lambda function each, by name
	static    []aloft.Function // directories that the web function's shim serves
	prefix    map[string]string

	template   cfn.Template
	parameters map[string]string
	names      map[string]Names
	roleFor    map[string]string    // why there are roles that are no function's, by logical id
	reasons    map[string][]string  // why roles may do what they may, statement by statement, by logical id
	because    map[holding][]string // the same, by what the template says
	granted    []Granted
	warnings   []string

	stores  map[string]store             // declared resources, by name
	caused  map[string][]cfn.Statement   // statements that event sources need, by function
	sources map[string]map[string]string // names of event sources by what events say, by function
	dead    []string                     // logical ids of queues of dead letters
	atRoot  bool                         // a handler's route is for GET /
	err     error                        // the first two things that want one logical id
}

// begin decides which functions there are.
func begin(in Input) (*render, error) {
	r := in.Release
	if r.AWS == nil {
		return nil, aloft.Errorf(aloft.Internal, "the release v%d of %s is none for AWS", r.Version, r.StageRef)
	}
	s := &render{
		in: in, aws: *r.AWS, parameters: map[string]string{}, names: map[string]Names{}, stores: map[string]store{},
		caused: map[string][]cfn.Statement{}, roleFor: map[string]string{}, sources: map[string]map[string]string{},
		template: cfn.Template{
			Description: "aloft: " + r.String(),
			Parameters:  map[string]cfn.Parameter{}, Resources: map[string]cfn.Resource{}, Outputs: map[string]cfn.Output{},
		},
	}
	if err := s.choose(r.Tuned()); err != nil {
		return nil, err
	}
	var names []string
	for _, f := range s.functions {
		names = append(names, f.Name)
	}
	s.prefix = ids(names)
	for _, f := range s.functions {
		id := s.prefix[f.Name]
		s.names[f.Name] = Names{
			Function: id + "Function", Version: id + "V" + strconv.Itoa(r.Version), Alias: id + "Alias", Lambda: r.NameOf(f),
		}
	}
	return s, nil
}

// choose tells functions of Lambda from what the web function's shim serves, and refuses what Lambda cannot run.
func (s *render) choose(all []aloft.Function) error {
	web := false
	for _, f := range all {
		web = web || f.Kind == aloft.Web
	}
	for _, f := range all {
		switch {
		case f.Kind == aloft.Worker:
			return aloft.Errorf(aloft.Invalid, "%s is a worker, and AWS Lambda runs nothing without a request or an event", f.Name).
				WithHint("turn it off for this stage (functions.%s.instances: 0 below stages.%s), keep it on a stage of another platform, or make it a handler with an event source", f.Name, s.in.Release.Stage)
		case f.Kind == aloft.Static && web:
			s.static = append(s.static, f)
		default:
			s.warnOfNoEffect(f)
			s.functions = append(s.functions, f)
		}
	}
	if err := s.checkBootstrap(); err != nil {
		return err
	}
	if len(s.functions) == 0 {
		return aloft.Errorf(aloft.Invalid, "%s has no function that runs", s.in.Release.StageRef).WithHint("turn one on: aloft scale, or instances in aloft.yml")
	}
	return nil
}

// checkBootstrap returns Invalid if a bootstrap of the app would be started in place of the shim: Lambda looks there first.
func (s *render) checkBootstrap() error {
	for _, f := range s.functions {
		if f.Kind == aloft.Web && isBootstrap(f.Command) {
			return aloft.Errorf(aloft.Invalid, "%s is called bootstrap, and AWS Lambda would start it by itself, before anything passes it requests", f.Name).
				WithHint("build it to another name, and start it by that: functions.%s.command in aloft.yml", f.Name)
		}
		if family, _, err := lambdaruntime.Parse(f.Runtime); err != nil || family != lambdaruntime.Provided || f.Kind != aloft.Handler || !isBootstrap(f.Command) {
			continue
		}
		if front := s.front(); front != nil {
			return aloft.Errorf(aloft.Invalid, "%s has the program bootstrap, which AWS Lambda would start for %s too", f.Name, front.Name).
				WithHint("give it another name, and say it: functions.%s.command in aloft.yml", f.Name)
		}
	}
	return nil
}

// front is the function that requests go to which no handler's route is for; nil if there is none.
func (s *render) front() *aloft.Function {
	for i, f := range s.functions {
		if f.Kind == aloft.Web || f.Kind == aloft.Static {
			return &s.functions[i]
		}
	}
	return nil
}

// put adds a resource under a logical id that nothing else has.
func (s *render) put(id string, r cfn.Resource) {
	if _, taken := s.template.Resources[id]; taken && s.err == nil {
		s.err = aloft.Errorf(aloft.Invalid, "two things of the stack of %s would be called %s", s.in.Release.StageRef, id).
			WithHint("rename one of the functions or resources whose names differ in dashes only")
	}
	s.template.Resources[id] = r
}

// add is put for a resource of nothing but a type and properties.
func (s *render) add(id, kind string, properties map[string]any) {
	s.put(id, cfn.Resource{Type: kind, Properties: properties})
}

func (s *render) output(id string, value any, description string) {
	s.template.Outputs[id] = cfn.Output{Value: value, Description: description}
}

func (s *render) warn(text string) { s.warnings = append(s.warnings, text) }

// finish adds what all resources and stacks have.
func (s *render) finish() error {
	s.output(OutputRelease, s.release(), "the release that this stack was made of")
	s.addTags()
	return nil
}

// release is the number of the release as versions and outputs have it.
func (s *render) release() string { return "v" + strconv.Itoa(s.in.Release.Version) }
