// Package aloft puts a web server or a set of functions online, exactly as they are.
//
// This package holds the nouns of the product (App, Stage, Function, Release, Artifact) and the contracts between its
// parts. It imports the standard library only; everything that does something lives below internal.
//
// # Laws
//
// Every implementation of a contract in this package obeys them, and the contract suites check them.
//
//  1. The unmodified app is sacred: no SDK, no wrapper, no code change. A server that ignores PORT works too.
//  2. Nothing acknowledged is lost. A Release that CreateRelease or FinishRelease returned survives kill -9 and power
//     loss. When a deploy fails or is killed, the old release keeps serving and the same command typed again succeeds.
//  3. No request is dropped by a deploy, a rollback, a config change or a scale-down.
//  4. One story: every door (CLI, git push, REST, webhook) calls the same Deployer.
//  5. Releases hold the whole state. What a rollback does not restore does not belong around a release.
//  6. Results share no memory with the store: a caller may change what it was given.
//  7. Errors that a user can cause are *Error with a Code; anything else is a defect of ours and is treated as internal.
//  8. Methods honour ctx: when it ends they return soon, with ctx.Err() or an error that wraps it, and leave the state
//     as it was before or as it is after, never between.
package aloft
