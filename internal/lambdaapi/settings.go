package lambdaapi

import (
	"encoding/json"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// settings are what CreateFunction and UpdateFunctionConfiguration set. What is not there stays.
type settings struct {
	Runtime     *string
	Handler     *string
	Role        *string
	Description *string
	MemorySize  *int
	Timeout     *int
	Environment *struct{ Variables map[string]string }
	Layers      *[]string
	RevisionID  string `json:"RevisionId"`

	Architectures     []string
	VpcConfig         *vpc
	SnapStart         *struct{ ApplyOn string }
	DeadLetterConfig  json.RawMessage
	KMSKeyArn         json.RawMessage
	TracingConfig     json.RawMessage
	FileSystemConfigs json.RawMessage
	EphemeralStorage  json.RawMessage
	LoggingConfig     *logging
}

type vpc struct {
	SubnetIDs        []string `json:"SubnetIds"`
	SecurityGroupIDs []string `json:"SecurityGroupIds"`
	DualStack        bool     `json:"Ipv6AllowedForDualStack"`
	ID               string   `json:"VpcId"`
}

type logging struct {
	LogFormat           string `json:",omitempty"`
	ApplicationLogLevel string `json:",omitempty"`
	SystemLogLevel      string `json:",omitempty"`
	LogGroup            string `json:",omitempty"`
}

// Bounds of Lambda ("Lambda quotas").
const (
	minMemory, maxMemory         = 128, 10240 // MB
	minTimeout, maxTimeout       = 1, 900     // s
	defaultMemory                = 128
	defaultTimeout         int64 = 3
	maxEnvironment               = 4 << 10 // bytes
)

var rolePattern = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)

// check refuses what Lambda refuses too.
func (s *settings) check() error {
	switch {
	case s.MemorySize != nil && (*s.MemorySize < minMemory || *s.MemorySize > maxMemory):
		return invalid("'MemorySize' value failed to satisfy constraint: Member must be between %d and %d", minMemory, maxMemory)
	case s.Timeout != nil && (*s.Timeout < minTimeout || *s.Timeout > maxTimeout):
		return invalid("'Timeout' value failed to satisfy constraint: Member must be between %d and %d", minTimeout, maxTimeout)
	case s.Role != nil && !rolePattern.MatchString(*s.Role):
		return invalid("The role %q is no ARN of a role.", *s.Role)
	case s.Handler != nil && (strings.ContainsAny(*s.Handler, " \t\n\x00") || len(*s.Handler) > 128):
		return invalid("The handler %q is not allowed.", *s.Handler)
	case len(s.FileSystemConfigs) > 0 && string(s.FileSystemConfigs) != "[]" && string(s.FileSystemConfigs) != "null":
		return invalid("Functions with file systems are not run by aloft.")
	}
	if s.Layers != nil {
		if err := checkLayers(*s.Layers); err != nil {
			return err
		}
	}
	return s.checkEnvironment()
}

// reserved are variables that functions are given, which nobody may set ("Defined runtime environment variables").
func reserved(name string) bool {
	return strings.HasPrefix(name, "AWS_LAMBDA_") && name != "AWS_LAMBDA_EXEC_WRAPPER" || slices.Contains([]string{
		"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	}, name)
}

func (s *settings) checkEnvironment() error {
	if s.Environment == nil {
		return nil
	}
	size := 0
	for name, value := range s.Environment.Variables {
		if reserved(name) {
			return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys "+
				"that are currently not supported for modification. Reserved keys used in this request: %s", name)
		}
		size += len(name) + len(value)
	}
	if size > maxEnvironment {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.")
	}
	return nil
}

// apply sets on f what is said, and returns the variables; nil if they stay.
func (s *settings) apply(f *aloft.Function) (aloft.Config, error) {
	if s.Runtime != nil {
		f.Runtime = *s.Runtime
	}
	if s.Handler != nil {
		f.Handler = *s.Handler
	}
	if s.MemorySize != nil {
		f.Memory = *s.MemorySize
	}
	if s.Timeout != nil {
		f.Timeout = aloft.Duration(time.Duration(*s.Timeout) * time.Second)
	}
	if s.VpcConfig != nil && len(s.VpcConfig.SubnetIDs) > 0 {
		s.VpcConfig.ID = "vpc-00000000"
	}
	if s.LoggingConfig != nil {
		s.LoggingConfig.complete(f.LambdaName)
	}
	if s.Architectures != nil && !slices.Equal(s.Architectures, []string{architecture()}) && f.Runtime != "" && strings.HasPrefix(f.Runtime, "provided") {
		return nil, invalid("This machine runs programs for %s, not for %s.", architecture(), strings.Join(s.Architectures, ", "))
	}
	if err := s.keep(f); err != nil {
		return nil, err
	}
	if s.Environment == nil {
		return nil, nil
	}
	config := aloft.Config(s.Environment.Variables)
	if config == nil {
		config = aloft.Config{}
	}
	return config, nil
}

// complete fills in what Lambda does.
func (l *logging) complete(name string) {
	if l.LogFormat == "" {
		l.LogFormat = "Text"
	}
	if l.LogGroup == "" {
		l.LogGroup = "/aws/lambda/" + name
	}
}

// keep stores what nothing here acts on with the function.
func (s *settings) keep(f *aloft.Function) error {
	kept := map[string]any{}
	add := func(name string, set bool, value any) {
		if set {
			kept[name] = value
		}
	}
	add("Role", s.Role != nil, s.Role)
	add("Description", s.Description != nil, s.Description)
	add("Architectures", s.Architectures != nil, s.Architectures)
	add("VpcConfig", s.VpcConfig != nil, s.VpcConfig)
	add("LoggingConfig", s.LoggingConfig != nil, s.LoggingConfig)
	if s.SnapStart != nil {
		kept["SnapStart"] = map[string]string{"ApplyOn": s.SnapStart.ApplyOn, "OptimizationStatus": "Off"}
	}
	for name, raw := range map[string]json.RawMessage{
		attrDead: s.DeadLetterConfig, "KMSKeyArn": s.KMSKeyArn, "TracingConfig": s.TracingConfig,
		"EphemeralStorage": s.EphemeralStorage,
	} {
		add(name, len(raw) > 0 && string(raw) != "null", raw)
	}
	for name, value := range kept {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		put(&f.Attributes, name, string(text))
	}
	return nil
}

// architecture is this machine's, as Lambda names it.
func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}
