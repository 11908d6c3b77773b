package aloft

// PackageInput is a handler function whose code needs no build, or a change of one.
type PackageInput struct {
	Stage    StageRef
	Dir      string   // what is shipped, as it is; "" keeps the code of the current release
	MaxFiles int      // of Dir; 0 means as many as an app may have
	MaxBytes int64    // likewise
	Opt      string   // what its instances see at /opt, within the same bounds; "" leaves Function.Opt as it is
	Function Function // takes the place of the one of its name
	Config   Config   // all variables; nil keeps those of the current release
	Create   bool     // Conflict if there is such an app
	Tuned    bool     // what operators set of the function stays beside it; else it is in Function by now

	Author, Description string
}
