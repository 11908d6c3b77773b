package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
	"github.com/aloft-run/aloft/internal/shim"
)

// wrapperVariable names the program that a managed runtime starts in its place.
const wrapperVariable = "AWS_LAMBDA_EXEC_WRAPPER"

// Places of Lambda.
const (
	taskRoot   = "/var/task"
	lambdaPath = "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin" // PATH, if nobody sets it
)

// pythonPath is where Python looks on Lambda besides: what layers have, and boto3. Its client adds the former only where nobody has
// set PYTHONPATH (bootstrap.py of the runtimes), and no program in its place does.
func pythonPath(runtime string) string {
	return "/opt/python/lib/" + runtime + "/site-packages:/opt/python:/var/runtime"
}

// environment are the variables of a function: the same as on other platforms, but for ALOFT_RELEASE: it would be another value
// for each release, and a release of new code alone changes no variables. What is later wins: aloft's, those of the resources that
// it uses, its own, the config.
func (s *render) environment(f aloft.Function, r runtime) (map[string]any, error) {
	ref := s.in.Release.StageRef
	env := map[string]any{"ALOFT_APP": ref.App, "ALOFT_STAGE": ref.Stage}
	edges, err := s.edges(f)
	if err != nil {
		return nil, err
	}
	for _, e := range edges {
		maps.Copy(env, e.store.rendered.Env)
	}
	config := s.in.Config.Variables[f.Name]
	plain, filled := ownEnv(f, r, config)
	maps.Copy(env, plain)
	if err := refuseReserved(f, r, config); err != nil {
		return nil, err
	}
	known := map[string]string{}
	if s.in.Config.Secret == "" {
		for _, name := range slices.Sorted(maps.Keys(config)) {
			env[name] = cfn.Ref(s.parameter(f.Name, name, config[name]))
			known[name] = config[name]
		}
	} else if len(config) > 0 {
		env[shim.SecretVariable], env[shim.LabelVariable] = s.in.Config.Secret, s.in.Config.Label
		s.warnOfSecret(f)
	}
	if r.shim {
		text, err := json.Marshal(s.spec(f, filled))
		if err != nil {
			return nil, fmt.Errorf("write what the shim of %s runs: %w", f.Name, err)
		}
		env[shim.SpecVariable] = filledIn(string(text))
		if r.wrapped {
			env[wrapperVariable] = shimProgram
		}
	}
	return env, fits(f, env, known)
}

// warnOfSecret says what a function needs that fetches its config from inside of a VPC: without it, it does not start.
func (s *render) warnOfSecret(f aloft.Function) {
	if s.aws.VPC != nil {
		s.warn(f.Name + ": the config is past the 4 KB of Lambda's variables, so that it is fetched from Secrets Manager when an instance starts: the subnets of aws.vpc " +
			"need a NAT gateway or an endpoint for secretsmanager, or " + f.Name + " does not start; with large values kept out of the config it needs neither")
	}
}

// filledIn is a text in which CloudFormation fills in account and region where it names them, and leaves all else as it is.
func filledIn(text string) any {
	if !strings.Contains(text, "${"+cfn.Account+"}") {
		return text
	}
	text = strings.ReplaceAll(text, "${", "${!")
	for _, name := range []string{cfn.Account, cfn.Region} {
		text = strings.ReplaceAll(text, "${!"+name+"}", "${"+name+"}")
	}
	return cfn.Sub(text)
}

// ownEnv are the variables that the function's source gives it. Those that name the tree or the PATH are the shim's to fill in,
// where there is one: it knows both; what the config sets is not for it.
func ownEnv(f aloft.Function, r runtime, config aloft.Config) (plain map[string]any, filled map[string]string) {
	plain, filled = map[string]any{}, map[string]string{}
	places := strings.NewReplacer("${APP}", taskRoot, "$APP", taskRoot, "${PATH}", lambdaPath, "$PATH", lambdaPath)
	if _, set := f.Env["PYTHONPATH"]; !set && r.wrapped && r.family == lambdaruntime.Python {
		plain["PYTHONPATH"] = pythonPath(r.name)
	}
	for name, value := range f.Env {
		if name == "PYTHONPATH" && r.family == lambdaruntime.Python {
			value += ":" + pythonPath(r.name)
		}
		literal := places.Replace(value)
		if _, set := config[name]; r.shim && literal != value {
			if !set {
				filled[name] = value
			}
			continue
		}
		plain[name] = literal
	}
	return plain, filled
}

// reserved are the variables that Lambda sets and lets nobody else set.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func reserved(name string) bool {
	switch name {
	case "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_INITIALIZATION_TYPE",
		"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR":
		return true
	}
	return strings.HasPrefix(name, "AWS_LAMBDA_FUNCTION_")
}

// variableName is what Lambda lets a variable be called.
var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

func refuseReserved(f aloft.Function, r runtime, config aloft.Config) error {
	if err := CheckNames("the env of "+f.Name, f.Env); err != nil {
		return err
	}
	if err := CheckNames("the config", config); err != nil {
		return err
	}
	if !r.wrapped {
		return nil
	}
	for where, vars := range map[string]map[string]string{"the env of " + f.Name: f.Env, "the config": config} {
		if _, sets := vars[wrapperVariable]; sets {
			return keptByLambda(where, wrapperVariable)
		}
	}
	return nil
}

// CheckNames returns Invalid unless Lambda lets all variables be called as they are. Where says whose they are, for people.
func CheckNames(where string, variables map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		switch {
		case !variableName.MatchString(name):
			return aloft.Errorf(aloft.Invalid, "%s sets %s, which is no name of a variable on AWS Lambda", where, name).
				WithHint("use two or more letters, digits and underscores, a letter first")
		case reserved(name) || name == shim.SpecVariable || name == shim.SecretVariable || name == shim.LabelVariable:
			return keptByLambda(where, name)
		}
	}
	return nil
}

func keptByLambda(where, name string) error {
	return aloft.Errorf(aloft.Invalid, "%s sets %s, which AWS Lambda keeps for itself", where, name).
		WithHint("give it another name, or leave it out for this stage")
}

// parameter is the logical id of the parameter that has a variable's value for a function. Functions with the same value share
// it.
func (s *render) parameter(function, name, value string) string {
	owner := ""
	for _, other := range s.in.Config.Variables {
		if v, has := other[name]; has && v != value {
			owner = function
		}
	}
	id := "Config" + camel(owner) + camel(strings.ToLower(name)) + cfn.Digest(owner+"/"+name)
	description := "the variable " + name
	if owner != "" {
		description += " of " + owner
	}
	s.template.Parameters[id] = cfn.Parameter{Type: "String", NoEcho: true, Description: description}
	s.parameters[id] = value
	return id
}
