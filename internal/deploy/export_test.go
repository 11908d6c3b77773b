package deploy

// For tests of how plans become functions.
var (
	JavaHandlers = javaHandlers
	WithJava     = withJava
	WithNative   = withNative
)
