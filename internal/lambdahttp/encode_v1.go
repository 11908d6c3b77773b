package lambdahttp

// v1 appends an event of payload format 1.0 as REST APIs send it. Header names keep the case the server gave them; each
// field and each decoded query key is there twice, with its last value and with all; what is empty is null.
func (e *encoder) v1(dst []byte) []byte {
	m := e.m
	dst = append(dst, '{')
	dst = appendMember(dst, "resource", or(m.Resource, "/{proxy+}"))
	dst = appendMember(dst, "path", e.path())
	dst = appendMember(dst, "httpMethod", e.r.Method)
	dst = e.headers(dst, "headers", last)
	dst = e.multiHeaders(dst)
	if all := params(e.r.URL.RawQuery, true); len(all) > 0 {
		dst = appendParams(appendKey(dst, "queryStringParameters"), all, last)
		dst = appendMultiParams(appendKey(dst, "multiValueQueryStringParameters"), all)
	} else {
		dst = appendNull(dst, "queryStringParameters")
		dst = appendNull(dst, "multiValueQueryStringParameters")
	}
	dst = appendMapOrNull(dst, "pathParameters", m.PathParameters)
	dst = appendMapOrNull(dst, "stageVariables", m.StageVariables)
	dst = e.contextV1(dst)
	if len(e.body) > 0 {
		dst = appendBody(dst, e.body, e.text)
	} else {
		dst = appendNull(dst, "body")
		dst = appendBool(dst, "isBase64Encoded", false)
	}
	return append(dst, '}')
}

func (e *encoder) contextV1(dst []byte) []byte {
	m := e.m
	dst = append(appendKey(dst, "requestContext"), '{')
	dst = appendMember(dst, "accountId", m.AccountID)
	dst = appendMember(dst, "apiId", m.APIID)
	if len(m.Authorizer) > 0 {
		dst = append(appendKey(dst, "authorizer"), m.Authorizer...)
	}
	dst = appendDomain(dst, m, e.r.Host)
	dst = appendMember(dst, "extendedRequestId", m.RequestID)
	dst = appendMember(dst, "httpMethod", e.r.Method)
	dst = e.identity(dst)
	dst = appendMember(dst, "path", e.path())
	dst = appendMember(dst, "protocol", e.r.Proto)
	dst = appendMember(dst, "requestId", m.RequestID)
	dst = appendTimes(dst, "requestTime", "requestTimeEpoch", m.Time)
	dst = appendOptional(dst, "resourceId", m.ResourceID)
	dst = appendMember(dst, "resourcePath", or(m.Resource, "/{proxy+}"))
	dst = appendMember(dst, "stage", or(m.Stage, "prod"))
	return append(dst, '}')
}

// identity appends who the client is: for an open API that is its address and its user agent.
func (e *encoder) identity(dst []byte) []byte {
	dst = append(appendKey(dst, "identity"), '{')
	for _, key := range []string{
		"accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
		"cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId",
	} {
		dst = appendNull(dst, key)
	}
	dst = appendMember(dst, "sourceIp", e.m.SourceIP)
	dst = appendNull(dst, "user")
	dst = appendOptional(dst, "userAgent", e.r.Header.Get("User-Agent"))
	dst = appendNull(dst, "userArn")
	return append(dst, '}')
}

func appendNull(dst []byte, key string) []byte { return append(appendKey(dst, key), "null"...) }

func appendMapOrNull(dst []byte, key string, m map[string]string) []byte {
	if len(m) == 0 {
		return appendNull(dst, key)
	}
	return appendMap(dst, key, m)
}
