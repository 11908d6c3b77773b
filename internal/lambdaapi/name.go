package lambdaapi

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/awsapi"
)

const arnPrefix = "arn:aws:lambda:" + awsapi.Region + ":" + awsapi.Account + ":"

// latest is the version that may change.
const latest = "$LATEST"

var (
	namePattern      = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
	qualifierPattern = regexp.MustCompile(`^(\$LATEST|[a-zA-Z0-9-_]{1,128})$`)
	// A name, ACCOUNT:function:NAME, or an ARN of any region and account, each with or without a qualifier.
	refPattern = regexp.MustCompile(`^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:|\d{12}:function:|function:)?([a-zA-Z0-9-_]+)(?::(.+))?$`)
)

// parseName splits what names a function.
func parseName(text string) (name, qualifier string, err error) {
	m := refPattern.FindStringSubmatch(text)
	if m == nil || !namePattern.MatchString(m[2]) || m[3] != "" && !qualifierPattern.MatchString(m[3]) {
		return "", "", &Failure{"ValidationException", 400, "1 validation error detected: Value '" + text + "' at 'functionName' failed to satisfy constraint: " +
			"Member must be a name, a partial or a full ARN of a function"}
	}
	return m[2], m[3], nil
}

// versionOf reads the number of a version.
func versionOf(text string) (version int, ok bool) {
	version, err := strconv.Atoi(text)
	return version, err == nil && version > 0
}

// arn is a function's ARN, with a qualifier if there is one.
func arn(name, qualifier string) string {
	if qualifier != "" {
		name += ":" + qualifier
	}
	return arnPrefix + "function:" + name
}

// noFunction is what Lambda says of a function that does not exist.
func noFunction(name, qualifier string) error {
	return notFound("Function not found: %s", arn(name, qualifier))
}

// handler is the name of the one function of an app that was made here.
const handler = "handler"

// appName is the app of a function that is created with a name: the name itself if apps may be called so, else what is left of
// it with a digest of the whole, always the same.
func appName(name string) string {
	if aloft.CheckName("app", name) == nil {
		return name
	}
	text := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	text = strings.TrimLeft(text, "-0123456789")
	const most = 31
	text = strings.Trim(text[:min(len(text), most)], "-")
	if text == "" {
		text = "f"
	}
	sum := sha256.Sum256([]byte(name))
	return text + "-" + hex.EncodeToString(sum[:4])
}

// refOf is the stage of a function that is created with a name.
func refOf(name string) aloft.StageRef {
	return aloft.StageRef{App: appName(name), Stage: aloft.Production}
}
