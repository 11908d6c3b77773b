package stack

import (
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// What functions get that say nothing else.
const (
	defaultMemory  = 1024             // MB: more than half a processor; 400,000 GB-s a month are free
	webTimeout     = 30 * time.Second // what the HTTP API waits at most
	restTimeout    = 29 * time.Second // what the REST API waits without streaming
	handlerTimeout = 10 * time.Second
	maxTimeout     = 15 * time.Minute // of Lambda
	defaultLogDays = 14
)

// The program of the shim's layer, as functions see it.
const shimProgram = "/opt/bootstrap"

func (s *render) addFunctions() error {
	for _, f := range s.functions {
		if err := s.addFunction(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *render) addFunction(f aloft.Function) error {
	names, id := s.names[f.Name], s.prefix[f.Name]
	runtime, err := s.runtime(f)
	if err != nil {
		return err
	}
	env, err := s.environment(f, runtime)
	if err != nil {
		return err
	}
	timeout, err := s.timeout(f)
	if err != nil {
		return err
	}
	logs := id + "Logs"
	s.put(logs, cfn.Resource{
		Type: "AWS::Logs::LogGroup", DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete",
		Properties: map[string]any{"LogGroupName": "/aws/lambda/" + names.Lambda, "RetentionInDays": s.logDays()},
	})
	l := f.Lambda
	if l == nil {
		l = &aloft.Lambda{}
	}
	properties := map[string]any{
		"FunctionName": names.Lambda, "Description": s.describe(f), "PackageType": "Zip",
		"Code":    map[string]any{"S3Bucket": s.in.Code.Bucket, "S3Key": s.in.Code.Key},
		"Runtime": runtime.name, "Handler": runtime.handler, "Architectures": []string{s.architecture()},
		"MemorySize": orElse(f.Memory, defaultMemory), "Timeout": int(timeout.Seconds()),
		"Role": s.role(f, l, logs), "Environment": map[string]any{"Variables": env},
		"LoggingConfig": map[string]any{"LogGroup": cfn.Ref(logs)},
	}
	if layers := s.layers(f, l, runtime); len(layers) > 0 {
		properties["Layers"] = layers
	}
	s.put(names.Function, cfn.Resource{Type: "AWS::Lambda::Function", Properties: properties})
	s.addVersion(names)
	s.output(id+"FunctionArn", cfn.Ref(names.Alias), "the alias of "+f.Name)
	return nil
}

// addVersion adds the version of this release, which stays when later releases leave it out, and the alias that leads to it.
func (s *render) addVersion(names Names) {
	s.put(names.Version, cfn.Resource{
		Type: "AWS::Lambda::Version", DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain",
		Properties: map[string]any{"FunctionName": cfn.Ref(names.Function), "Description": s.release()},
	})
	s.add(names.Alias, "AWS::Lambda::Alias", map[string]any{
		"FunctionName": cfn.Ref(names.Function), "Name": Live, "FunctionVersion": cfn.GetAtt(names.Version, "Version"),
	})
}

// describe is a function's description. It has the release's number: AWS publishes no version of a function that is the same
// as the version before.
func (s *render) describe(f aloft.Function) string {
	return f.Name + " of " + s.in.Release.String() + " " + s.release()
}

func (s *render) logDays() int { return orElse(s.aws.LogDays, defaultLogDays) }

func (s *render) architecture() string {
	if s.aws.Architecture == "" {
		return aloft.ARM64
	}
	return s.aws.Architecture
}

func orElse(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// timeout is how long an invocation may take. It returns Invalid for more than the endpoint waits.
func (s *render) timeout(f aloft.Function) (time.Duration, error) {
	most, def := maxTimeout, handlerTimeout
	if f.Kind != aloft.Handler {
		def = webTimeout
		switch s.aws.Endpoint {
		case aloft.HTTPAPI, "":
			most = webTimeout
		case aloft.RESTAPI: // streamed
			def = restTimeout
		}
	}
	timeout := f.Timeout.Or(def)
	switch {
	case timeout > most && most == webTimeout:
		return 0, aloft.Errorf(aloft.Invalid, "%s may take %v, and an HTTP API waits %v at most", f.Name, timeout, most).
			WithHint("set a shorter timeout, or endpoint: rest-api or function-url, which wait up to %v", maxTimeout)
	case timeout > most:
		return 0, aloft.Errorf(aloft.Invalid, "%s may take %v, and AWS Lambda lets nothing take more than %v", f.Name, timeout, most).WithHint("set a shorter timeout")
	case timeout < time.Second:
		return time.Second, nil
	}
	return (timeout + time.Second - 1).Truncate(time.Second), nil // Lambda counts whole seconds
}

// layers are the shim's, the artifact that the function has at /opt, and those it names.
func (s *render) layers(f aloft.Function, l *aloft.Lambda, runtime runtime) []any {
	var all []any
	if runtime.shim {
		all = append(all, cfn.Ref(s.layer("ShimLayer", s.in.Shim, "aloft's shim")))
	}
	if f.Opt != "" {
		all = append(all, cfn.Ref(s.layer("Layer"+f.Opt[:min(12, len(f.Opt))], s.in.Layers[f.Opt], "layers of "+f.Name)))
	}
	for _, arn := range l.Layers {
		all = append(all, arn)
	}
	return all
}

// layer adds a layer of an object, once. Its logical id has the digest of the key, so that another object is another layer.
func (s *render) layer(id string, object Object, description string) string {
	id += digest(object.Key)
	if _, there := s.template.Resources[id]; !there {
		s.add(id, "AWS::Lambda::LayerVersion", map[string]any{
			"LayerName": s.in.Release.FunctionName("layer"), "Description": description, "CompatibleArchitectures": []string{s.architecture()},
			"Content": map[string]any{"S3Bucket": object.Bucket, "S3Key": object.Key},
		})
	}
	return id
}

// runtime is how Lambda starts a function.
type runtime struct {
	name    string
	handler string
	shim    bool // it starts the shim, of a layer
	wrapped bool // by AWS_LAMBDA_EXEC_WRAPPER; else Lambda finds it as the bootstrap
	family  lambdaruntime.Family
}
