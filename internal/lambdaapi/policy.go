package lambdaapi

import (
	"encoding/json"
	"net/http"
	"slices"
)

// policy is a resource policy. It is kept and given back: whoever has an access key may invoke.
type policy struct {
	Statements []statement
	RevisionID string
}

type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// permission is the body of AddPermission.
type permission struct {
	StatementID           string `json:"StatementId"`
	Action                string
	Principal             string
	SourceArn             string
	SourceAccount         string
	EventSourceToken      string
	PrincipalOrgID        string
	FunctionURLAuthType   string `json:"FunctionUrlAuthType"`
	InvokedViaFunctionURL *bool  `json:"InvokedViaFunctionUrl"`
	RevisionID            string `json:"RevisionId"`
}

// statement is how a permission is written in a policy.
func (p permission) statement(resource string) statement {
	s := statement{Sid: p.StatementID, Effect: "Allow", Action: p.Action, Resource: resource}
	switch {
	case p.Principal == "*":
		s.Principal = "*"
	case isAccount(p.Principal):
		s.Principal = map[string]string{"AWS": "arn:aws:iam::" + p.Principal + ":root"}
	case len(p.Principal) > 4 && p.Principal[:4] == "arn:":
		s.Principal = map[string]string{"AWS": p.Principal}
	default:
		s.Principal = map[string]string{"Service": p.Principal}
	}
	add := func(operator, key, value string) {
		if value == "" {
			return
		}
		inner := s.Condition[operator]
		put(&inner, key, value)
		put(&s.Condition, operator, inner)
	}
	add("ArnLike", "AWS:SourceArn", p.SourceArn)
	add("StringEquals", "AWS:SourceAccount", p.SourceAccount)
	add("StringEquals", "aws:PrincipalOrgID", p.PrincipalOrgID)
	add("StringEquals", "lambda:EventSourceToken", p.EventSourceToken)
	add("StringEquals", "lambda:FunctionUrlAuthType", p.FunctionURLAuthType)
	if p.InvokedViaFunctionURL != nil && *p.InvokedViaFunctionURL {
		add("Bool", "lambda:InvokedViaFunctionUrl", "true")
	}
	return s
}

func isAccount(text string) bool {
	return len(text) == 12 && !slices.ContainsFunc([]byte(text), func(c byte) bool { return c < '0' || c > '9' })
}

func (a *API) addPermission(r *http.Request) (any, error) {
	in, t, err := with[permission](a, r)
	if err != nil {
		return nil, err
	}
	if !qualifierPattern.MatchString(in.StatementID) || in.Action == "" || in.Principal == "" {
		return nil, invalid("StatementId, Action and Principal are mandatory.")
	}
	made := in.statement(arn(t.name, t.qualifier))
	err = a.change(r.Context(), t, func(rec *record) error {
		p := rec.Policies[t.qualifier]
		if err := fresh(in.RevisionID, p.RevisionID); err != nil {
			return err
		}
		if slices.ContainsFunc(p.Statements, func(s statement) bool { return s.Sid == in.StatementID }) {
			return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", in.StatementID)
		}
		p.Statements = append(slices.Clone(p.Statements), made)
		p.RevisionID = revision("policy", t.name, t.qualifier, rec.Created.UnixNano(), rec.Revision)
		put(&rec.Policies, t.qualifier, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	said, err := json.Marshal(made)
	return map[string]string{"Statement": string(said)}, err
}

func (a *API) getPolicy(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	p, ok := t.record.Policies[t.qualifier]
	if !ok || len(p.Statements) == 0 {
		return nil, notFound("The resource you requested does not exist.")
	}
	said, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Id": "default", "Statement": p.Statements})
	return map[string]string{"Policy": string(said), "RevisionId": p.RevisionID}, err
}

func (a *API) removePermission(r *http.Request) (any, error) {
	t, err := a.found(r)
	if err != nil {
		return nil, err
	}
	return nil, a.change(r.Context(), t, func(rec *record) error {
		p := rec.Policies[t.qualifier]
		if err := fresh(r.URL.Query().Get("RevisionId"), p.RevisionID); err != nil {
			return err
		}
		i := slices.IndexFunc(p.Statements, func(s statement) bool { return s.Sid == r.PathValue("sid") })
		if i < 0 {
			return notFound("Statement %s is not found in resource policy.", r.PathValue("sid"))
		}
		p.Statements = slices.Delete(slices.Clone(p.Statements), i, i+1)
		p.RevisionID = revision("policy", t.name, t.qualifier, rec.Created.UnixNano(), rec.Revision)
		rec.Policies[t.qualifier] = p
		return nil
	})
}
