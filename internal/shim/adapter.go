package shim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// adapter reads the variables of AWS's Lambda Web Adapter that mean here what they mean there, wherever they come from: the
// environment, or the config.
// https://aws.github.io/aws-lambda-web-adapter/configuration/environment-variables.html
func (s *settings) adapter() (err error) {
	vars := s.merged()
	for name, to := range map[string]*int{"AWS_LWA_PORT": &s.port, "AWS_LWA_READINESS_CHECK_PORT": &s.readyPort} {
		n, err := strconv.ParseUint(vars[name], 10, 16)
		if vars[name] != "" && (err != nil || n == 0) {
			return fmt.Errorf("%s: %q is not a port", name, vars[name])
		}
		*to = int(n)
	}
	if err := s.readiness(vars); err != nil {
		return err
	}
	if strings.EqualFold(vars["AWS_LWA_INVOKE_MODE"], "response_stream") {
		s.Stream = true
	}
	if path := vars["AWS_LWA_REMOVE_BASE_PATH"]; path != "" {
		s.BasePath = path
	}
	s.passThrough = vars["AWS_LWA_PASS_THROUGH_PATH"]
	s.authorization = http.CanonicalHeaderKey(vars["AWS_LWA_AUTHORIZATION_SOURCE"])
	s.errorStatuses, err = statuses(vars, "AWS_LWA_ERROR_STATUS_CODES")
	return err
}

// readiness reads what a server is asked, and how it answers if it is ready.
func (s *settings) readiness(vars map[string]string) error {
	const variable = "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS"
	healthy, err := statuses(vars, variable)
	if err != nil {
		return err
	}
	path := vars["AWS_LWA_READINESS_CHECK_PATH"]
	if path == "" && healthy != nil {
		path = "/" // what the adapter asks
	}
	if path != "" && s.HealthPath == "" {
		s.HealthPath, s.healthy = path, [][2]int{{100, 499}} // the adapter takes a 404 for a sign of life
	}
	if healthy != nil {
		s.healthy = healthy
	}
	if strings.EqualFold(vars["AWS_LWA_READINESS_CHECK_PROTOCOL"], "tcp") {
		s.HealthPath = ""
	}
	return nil
}

// statuses are those that a variable lists: "200-399,404". They are nil if it is not set.
func statuses(vars map[string]string, name string) (ranges [][2]int, err error) {
	for part := range strings.SplitSeq(vars[name], ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		low, lowErr := strconv.Atoi(strings.TrimSpace(from))
		high, highErr := strconv.Atoi(strings.TrimSpace(to))
		if lowErr != nil || highErr != nil || low > high {
			return nil, fmt.Errorf("%s: %q is neither a status nor a range of them", name, part)
		}
		ranges = append(ranges, [2]int{low, high})
	}
	return ranges, nil
}

// isError reports whether responses of a status are errors of the function.
func (s *settings) isError(status int) bool { return among(s.errorStatuses, status) }

func among(ranges [][2]int, status int) bool {
	return slices.ContainsFunc(ranges, func(r [2]int) bool { return r[0] <= status && status <= r[1] })
}
