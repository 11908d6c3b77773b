package stack

import (
	"cmp"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// The program of the shim's layer, as functions see it.
const shimProgram = "/opt/bootstrap"

// runtime is how Lambda starts a function.
type runtime struct {
	name    string
	handler string
	shim    bool // it starts the shim, of a layer
	wrapped bool // by AWS_LAMBDA_EXEC_WRAPPER, which runtimes without an interpreter do not have: there it is the bootstrap
	family  lambdaruntime.Family
}

// Fit gives functions the runtimes that an artifact is made for, by its tree: where that was built with Python 3.12, say. It is
// asked once, when a release is made, so that all templates of the release have the same. With them it returns Invalid for a
// function that needs a program which neither Lambda nor the tree has, for a tree that is too large for Lambda, and for one with a
// program that Lambda would start in place of the functions.
func Fit(functions []aloft.Function, tree fs.FS) ([]aloft.Function, error) {
	fitted := slices.Clone(functions)
	var refused error
	for i, f := range fitted {
		family := lambdaruntime.Family(f.Runtime)
		if f.Kind == aloft.Web && f.Runtime == "" {
			found, err := familyOf(f, tree)
			if err != nil {
				refused = cmp.Or(refused, err)
				continue
			}
			family = found
		}
		if f.Kind == aloft.Web || f.Kind == aloft.Handler {
			fitted[i].Runtime = lambdaruntime.ForTree(family, tree)
		}
	}
	return fitted, cmp.Or(refused, checkTree(fitted, tree))
}

// familyOf is what a web server's command runs in, as far as its words and the tree say, which may be nil. It returns Invalid for a
// program that nothing of the function has; what its layers have is not looked at, so that they may have any.
func familyOf(f aloft.Function, tree fs.FS) (lambdaruntime.Family, error) {
	var dirs []string
	for dir := range strings.SplitSeq(f.Env["PATH"], ":") {
		if in, is := strings.CutPrefix(strings.NewReplacer("${APP}", "$APP").Replace(dir), "$APP/"); is {
			dirs = append(dirs, in)
		}
	}
	family, err := lambdaruntime.ForCommand(f.Command, tree, dirs...)
	switch {
	case err == nil:
		return family, nil
	case f.Opt != "" || f.Lambda != nil && len(f.Lambda.Layers) > 0:
		return lambdaruntime.Provided, nil
	}
	refused := aloft.Errorf(aloft.Invalid, "%s: %w", f.Name, err)
	if line := f.Command; handlerLike.MatchString(line[len(line)-1]) && (len(line) == 1 || line[1] == "-c") {
		return "", refused.WithHint("if it is a Lambda handler, give it another name in the Procfile: %s is a server", f.Name)
	}
	return "", refused.WithHint("put the interpreter, built for Amazon Linux, into the app and start it by its path, such as ./bin/lua; or name a layer that has it: "+
		"functions.%[1]s.lambda.layers in aloft.yml; or keep %[1]s on a stage of another platform", f.Name)
}

// runtime decides how Lambda starts a function. It returns Invalid for what none of its runtimes can run.
func (s *render) runtime(f aloft.Function) (runtime, error) {
	r := runtime{name: f.Runtime, handler: f.Handler}
	switch {
	case f.Kind == aloft.Static:
		r.name = string(lambdaruntime.Provided)
	case f.Runtime == "" && f.Kind == aloft.Web:
		family, err := familyOf(f, nil)
		if err != nil {
			return runtime{}, err
		}
		r.name = string(family)
	}
	r.name = lambdaruntime.Newest(r.name)
	family, warning, err := lambdaruntime.Parse(r.name)
	if err != nil {
		return runtime{}, aloft.Errorf(aloft.Invalid, "%s is built for %s, which AWS Lambda does not have", f.Name, r.name).
			WithHint("build it where one of these is: %s; or name one that it runs in: functions.%s.runtime", strings.Join(lambdaruntime.Names(), ", "), f.Name)
	}
	if warning != "" {
		s.warn(f.Name + ": " + warning)
	}
	r.family = family
	if f.Kind != aloft.Handler {
		r.shim, r.wrapped = true, family != lambdaruntime.Provided
		r.handler = strings.ReplaceAll(f.Name, "-", "_") + ".handler" // Lambda wants one
		return r, nil
	}
	if r.shim = s.in.Config.Secret != "" && len(s.in.Config.Variables[f.Name]) > 0; family != lambdaruntime.Provided {
		r.wrapped = r.shim
		return r, nil
	}
	if ownProgram(f) {
		r.shim = true
		return r, nil
	}
	if r.shim {
		return runtime{}, aloft.Errorf(aloft.Invalid, "the config of %s does not fit into the 4 KB that Lambda has for variables, and nothing can be started before a bootstrap of its own", f.Name).
			WithHint("keep large values out of its config, or declare a resource of the type secret and have %s read it; or build it to another name than bootstrap and set its command", f.Name)
	}
	return r, nil
}

// ownProgram reports whether a handler is a program of its own that Lambda does not find by itself.
func ownProgram(f aloft.Function) bool {
	family, _, err := lambdaruntime.Parse(f.Runtime)
	return err == nil && f.Kind == aloft.Handler && family == lambdaruntime.Provided && len(f.Command) > 0 && !isBootstrap(f.Command)
}

// handlerLike is a command that looks as handlers are named: MODULE.FUNCTION.
var handlerLike = regexp.MustCompile(`^(exec )?[\w/-]+\.[A-Za-z_]\w*$`)

// isBootstrap reports whether a command is the program that Lambda starts before any layer's.
func isBootstrap(command []string) bool {
	return len(command) == 1 && strings.TrimPrefix(command[0], "./") == "bootstrap"
}

// snapshots returns Invalid unless Lambda can start a function from a snapshot.
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
func snapshots(f aloft.Function, r runtime) error {
	number := strings.TrimPrefix(r.name, string(r.family))
	number, _, _ = strings.Cut(number, ".al")
	has := false
	switch r.family {
	case lambdaruntime.Java:
		n, err := strconv.Atoi(number)
		has = err == nil && n >= 11
	case lambdaruntime.Python:
		n, err := strconv.Atoi(strings.TrimPrefix(number, "3."))
		has = err == nil && n >= 12
	case lambdaruntime.Node, lambdaruntime.Ruby, lambdaruntime.Provided:
	}
	switch {
	case f.Kind != aloft.Handler:
		return aloft.Errorf(aloft.Invalid, "%s is a process with connections and ports, which SnapStart does not bring back", f.Name).
			WithHint("leave lambda.snapstart out; lambda.provisioned keeps instances warm")
	case !has:
		return aloft.Errorf(aloft.Invalid, "%s runs on %s, which has no SnapStart", f.Name, r.name).
			WithHint("java11, python3.12 and later ones have it; lambda.provisioned keeps instances warm on all")
	case f.Lambda.Provisioned > 0 || f.Lambda.EphemeralStorage > 512:
		return aloft.Errorf(aloft.Invalid, "%s has SnapStart, which goes with neither lambda.provisioned nor more than 512 MB of lambda.ephemeral-storage", f.Name).
			WithHint("leave one of them out")
	}
	return nil
}

// adapterLayer is AWS's Lambda Web Adapter: an extension that takes the invocations itself.
var adapterLayer = regexp.MustCompile(`:layer:LambdaAdapterLayer\w*:\d+$`)

// layers are the artifact that the function has at /opt, those it names, and the shim's: of files of one name the last one's is there,
// and runtimes of other languages have a bootstrap, too.
func (s *render) layers(f aloft.Function, r runtime) ([]any, error) {
	var all []any
	if f.Opt != "" {
		object, ok := s.in.Layers[f.Opt]
		if !ok {
			return nil, aloft.Errorf(aloft.Internal, "the layer %s of %s is not in the bucket", f.Opt, f.Name)
		}
		all = append(all, cfn.Ref(s.layer("Layer", "layer", object)))
	}
	if f.Lambda != nil {
		for _, arn := range f.Lambda.Layers {
			if r.shim && adapterLayer.MatchString(arn) {
				return nil, aloft.Errorf(aloft.Invalid, "%s has the layer of Lambda Web Adapter, which would take its requests away from it: %s", f.Name, arn).
					WithHint("leave the layer out: aloft does what it does, and reads its variables (AWS_LWA_…)")
			}
			all = append(all, arn)
		}
	}
	if r.shim {
		all = append(all, cfn.Ref(s.layer("Shim", "shim", s.in.Shim)))
	}
	if len(all) > maxLayers {
		return nil, aloft.Errorf(aloft.Invalid, "%s has %d layers, with aloft's own, and AWS Lambda takes %d", f.Name, len(all), maxLayers).
			WithHint("put what some of them hold into the app")
	}
	return all, nil
}

// layer adds a layer of an object, once, and returns its logical id. It has the digest of the key, so that another object is
// another layer.
func (s *render) layer(id, name string, object Object) string {
	id += cfn.Digest(object.Key)
	if _, there := s.template.Resources[id]; !there {
		s.add(id, "AWS::Lambda::LayerVersion", map[string]any{
			"LayerName": s.stackName() + "-" + name, "CompatibleArchitectures": []string{s.architecture()},
			"Content": map[string]any{"S3Bucket": object.Bucket, "S3Key": object.Key},
		})
	}
	return id
}
