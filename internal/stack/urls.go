package stack

import (
	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// addURLEndpoint gives the front a function URL, whose answers stream.
func (s *render) addURLEndpoint() error {
	front := *s.front()
	id := s.addURL(front, aloft.FunctionURL{Stream: true})
	s.output(OutputURL, cfn.GetAtt(id, "FunctionUrl"), "where requests go")
	for _, f := range s.functions {
		if f.Kind == aloft.Handler && f.URL == nil && len(f.EventSources) == 0 {
			s.warn("no request leads to " + f.Name + ": a function URL is the web function's alone; give it one of its own with url:")
		}
	}
	return nil
}

// addFunctionURLs adds the addresses that handlers have of their own.
func (s *render) addFunctionURLs() error {
	for _, f := range s.functions {
		if f.Kind != aloft.Handler || f.URL == nil {
			continue
		}
		id := s.addURL(f, *f.URL)
		s.output(s.prefix[f.Name]+functionURL, cfn.GetAtt(id, "FunctionUrl"), "the address of "+f.Name)
	}
	return nil
}

const (
	urlType = "AWS::Lambda::Url"
	urlID   = "Url" // ends the logical id of a function's
)

// addURL adds a function URL of the alias, and lets everybody ask unless requests are to be signed. AWS wants two permissions
// since October 2025: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (s *render) addURL(f aloft.Function, url aloft.FunctionURL) string {
	names, id := s.names[f.Name], s.prefix[f.Name]+urlID
	auth, mode := "NONE", "BUFFERED"
	if url.IAM {
		auth = "AWS_IAM"
	}
	if url.Stream {
		mode = "RESPONSE_STREAM"
	}
	s.put(id, cfn.Resource{
		Type: urlType, DependsOn: []string{names.Alias},
		Properties: map[string]any{"TargetFunctionArn": cfn.Ref(names.Function), "Qualifier": Live, "AuthType": auth, "InvokeMode": mode},
	})
	if url.IAM {
		return id
	}
	s.add(id+"Permission", "AWS::Lambda::Permission", map[string]any{
		"FunctionName": cfn.Ref(names.Alias), "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": auth,
	})
	s.add(id+"InvokePermission", "AWS::Lambda::Permission", map[string]any{
		"FunctionName": cfn.Ref(names.Alias), "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true,
	})
	return id
}
