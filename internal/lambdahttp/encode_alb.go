package lambdahttp

// alb appends an event of a load balancer. Header names are in lower case and the query is not decoded: functions do that.
// With multi-value headers each field and query key has the list of its values, without them the last one.
func (e *encoder) alb(dst []byte) []byte {
	dst = append(dst, '{')
	dst = append(appendKey(dst, "requestContext"), '{')
	dst = append(appendKey(dst, "elb"), '{')
	dst = appendMember(dst, "targetGroupArn", e.m.TargetGroupARN)
	dst = append(dst, '}', '}')
	dst = appendMember(dst, "httpMethod", e.r.Method)
	dst = appendMember(dst, "path", e.path())
	all := params(e.r.URL.RawQuery, false)
	if e.f == ALBMulti {
		dst = appendMultiParams(appendKey(dst, "multiValueQueryStringParameters"), all)
		dst = e.multiHeaders(dst)
	} else {
		dst = appendParams(appendKey(dst, "queryStringParameters"), all, last)
		dst = e.headers(dst, "headers", last)
	}
	dst = appendBody(dst, e.body, e.text)
	return append(dst, '}')
}
