package runtimeapi

import "io"

// Reply is what came of a call.
type Reply struct {
	Failure     *Failure      // what the function failed with; nil if it succeeded
	Payload     []byte        // of a buffered reply
	Stream      io.ReadCloser // of a streamed one; nil for a buffered one. Reading ends with a *Failure if the function failed on the way
	ContentType string        // of a streamed one
}

// Failure is an error of a function or of its initialisation.
type Failure struct {
	Type    string // as the runtime names it: "Runtime.ImportModuleError", "TypeError"
	Payload []byte // JSON: errorMessage, errorType, stackTrace
}

// Error returns the type.
func (f *Failure) Error() string { return f.Type }
