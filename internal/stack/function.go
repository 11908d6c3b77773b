package stack

import (
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// What functions get that say nothing else.
const (
	defaultMemory  = 1024             // MB: more than half a processor; 400,000 GB-s a month are free
	webTimeout     = 30 * time.Second // what the HTTP API waits at most
	restTimeout    = 29 * time.Second // what the REST API waits unless answers stream
	handlerTimeout = 10 * time.Second
	maxTimeout     = 15 * time.Minute // of Lambda
	maxLayers      = 5
	minMemory      = 128 // MB, of Lambda
	maxMemory      = 10240
	defaultLogDays = 14
)

func (s *render) addFunctions() error {
	for _, f := range s.functions {
		if err := s.addFunction(f); err != nil {
			return err
		}
	}
	return nil
}

// addFunction adds a function with its log, role, version and alias.
func (s *render) addFunction(f aloft.Function) error {
	names, id := s.names[f.Name], s.prefix[f.Name]
	logs := id + "Logs"
	properties, err := s.properties(f)
	if err != nil {
		return err
	}
	statements, err := s.statements(f, logs)
	if err != nil {
		return err
	}
	if properties["Role"], err = s.addRole(f, statements); err != nil {
		return err
	}
	properties["LoggingConfig"] = map[string]any{"LogGroup": cfn.Ref(logs)}
	s.put(logs, cfn.Resource{
		Type: "AWS::Logs::LogGroup", DeletionPolicy: "Delete", UpdateReplacePolicy: "Delete",
		Properties: map[string]any{"LogGroupName": "/aws/lambda/" + names.Lambda, "RetentionInDays": s.logDays()},
	})
	s.put(names.Function, cfn.Resource{Type: "AWS::Lambda::Function", Properties: properties})
	s.addVersion(f, names)
	s.output(id+"FunctionArn", cfn.Ref(names.Alias), "the alias of "+f.Name)
	return nil
}

// properties are those of a function, but for its role and log.
func (s *render) properties(f aloft.Function) (map[string]any, error) {
	memory := orElse(f.Memory, defaultMemory)
	if memory < minMemory || memory > maxMemory {
		return nil, aloft.Errorf(aloft.Invalid, "%s has %d MB of memory, and AWS Lambda gives %d to %d MB", f.Name, memory, minMemory, maxMemory).
			WithHint("set functions.%s.memory for this stage in aloft.yml, or aloft resource memory if that was used", f.Name)
	}
	runtime, err := s.runtime(f)
	if err != nil {
		return nil, err
	}
	env, err := s.environment(f, runtime)
	if err != nil {
		return nil, err
	}
	timeout, err := s.timeout(f)
	if err != nil {
		return nil, err
	}
	layers, err := s.layers(f, runtime)
	if err != nil {
		return nil, err
	}
	all := map[string]any{
		"FunctionName": s.names[f.Name].Lambda, "Description": s.describe(f), "PackageType": "Zip",
		"Code":    map[string]any{"S3Bucket": s.in.Code.Bucket, "S3Key": s.in.Code.Key},
		"Runtime": runtime.name, "Handler": runtime.handler, "Architectures": []string{s.architecture()},
		"MemorySize": memory, "Timeout": int(timeout.Seconds()),
		"Environment": map[string]any{"Variables": env},
	}
	if len(layers) > 0 {
		all["Layers"] = layers
	}
	if s.aws.Tracing {
		all["TracingConfig"] = map[string]any{"Mode": "Active"}
	}
	if s.aws.KMSKey != "" {
		all["KmsKeyArn"] = s.aws.KMSKey
	}
	if v := s.aws.VPC; v != nil {
		all["VpcConfig"] = map[string]any{"SubnetIds": v.Subnets, "SecurityGroupIds": v.SecurityGroups}
	}
	if loops := recursion(f); loops != "" {
		all["RecursiveLoop"] = loops
	}
	return all, s.tune(f, runtime, all)
}

// tune adds what only Lambda has.
func (s *render) tune(f aloft.Function, r runtime, properties map[string]any) error {
	l := f.Lambda
	if l == nil {
		return nil
	}
	if l.EphemeralStorage != 0 {
		properties["EphemeralStorage"] = map[string]any{"Size": l.EphemeralStorage}
	}
	if l.Reserved != nil {
		properties["ReservedConcurrentExecutions"] = *l.Reserved
	}
	if !l.SnapStart {
		return nil
	}
	if err := snapshots(f, r); err != nil {
		return err
	}
	properties["SnapStart"] = map[string]any{"ApplyOn": "PublishedVersions"}
	return nil
}

// addVersion adds the version of this release, which stays when later releases leave it out, and the alias that leads to it.
func (s *render) addVersion(f aloft.Function, names Names) {
	version := map[string]any{"FunctionName": cfn.Ref(names.Function), "Description": s.release()}
	if sum, err := hex.DecodeString(s.in.Release.Artifact.Digest); err == nil && len(sum) == 32 {
		// CloudFormation does not know what the fast path changed: a version of other code than this release's is refused.
		version["CodeSha256"] = base64.StdEncoding.EncodeToString(sum)
	}
	s.put(names.Version, cfn.Resource{Type: "AWS::Lambda::Version", DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain", Properties: version})
	alias := map[string]any{
		"FunctionName": cfn.Ref(names.Function), "Name": Live, "FunctionVersion": cfn.GetAtt(names.Version, "Version"),
	}
	if held := s.in.Held[f.Name]; held != "" {
		alias["FunctionVersion"] = held
	}
	if f.Lambda != nil && f.Lambda.Provisioned > 0 {
		alias["ProvisionedConcurrencyConfig"] = map[string]any{"ProvisionedConcurrentExecutions": f.Lambda.Provisioned}
	}
	s.add(names.Alias, "AWS::Lambda::Alias", alias)
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

// timeout is how long an invocation may take. It returns Invalid for more than what is before the function waits.
func (s *render) timeout(f aloft.Function) (time.Duration, error) {
	most, def := maxTimeout, handlerTimeout
	if f.Kind != aloft.Handler {
		def = webTimeout
		switch s.aws.Endpoint {
		case aloft.HTTPAPI, "":
			most = webTimeout
		case aloft.RESTAPI:
			def = restTimeout // it may be more, as answers stream
		}
	}
	timeout := f.Timeout.Or(def)
	switch {
	case timeout > most && most == webTimeout:
		return 0, aloft.Errorf(aloft.Invalid, "%s may take %v, and an HTTP API waits %v at most", f.Name, timeout, most).
			WithHint("set a shorter timeout, or endpoint: %s or %s, which wait up to %v", aloft.RESTAPI, aloft.URLEndpoint, maxTimeout)
	case timeout > most:
		return 0, aloft.Errorf(aloft.Invalid, "%s may take %v, and AWS Lambda lets nothing take more than %v", f.Name, timeout, most).WithHint("set a shorter timeout")
	}
	return max(time.Second, (timeout + time.Second - 1).Truncate(time.Second)), nil // Lambda counts whole seconds
}
