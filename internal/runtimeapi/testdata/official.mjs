// A handler for AWS's runtime client of Node.js.
export const handler = async (event, context) => {
  if (event.do === "fail") throw new TypeError("no such thing")
  return { echo: event.text, id: context.awsRequestId, arn: context.invokedFunctionArn, later: context.getRemainingTimeInMillis() > 0 }
}

export const stream = awslambda.streamifyResponse(async (event, out) => {
  out = awslambda.HttpResponseStream.from(out, { statusCode: 201 })
  for (const word of ["streamed ", event.text]) out.write(word)
  if (event.do === "fail") throw new RangeError("in the middle")
  out.end()
})
