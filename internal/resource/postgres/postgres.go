// Package postgres is the kind of resources that are databases: Aurora without servers, or one instance of RDS. It is a kind
// of stacks only.
package postgres

import (
	"regexp"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// The options of a database.
const (
	minOption      = "min-capacity" // Aurora's units, of 2 GB each
	maxOption      = "max-capacity"
	instanceOption = "instance" // a class of RDS in place of Aurora, such as db.t4g.micro
	storageOption  = "storage"  // GB of an instance
	standbyOption  = "standby"  // an instance has a second one in another zone
	versionOption  = "version"
	backupsOption  = "backups" // days
	databaseOption = "database"
)

const (
	defaultMin, defaultMax, mostUnits = 0.5, 4.0, 256.0

	defaultStorage, leastStorage, mostStorage = 20, 20, 65536
	defaultBackups, mostBackups               = 7, 35

	defaultDatabase = "app" // "db", say, is a word that RDS keeps for itself
	user            = "app"
	port            = 5432
)

var (
	instanceName = regexp.MustCompile(`^db\.[a-z0-9-]+\.[a-z0-9]+$`)
	versionName  = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	databaseName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// Cloud is the kind in a stack.
type Cloud struct{}

var _ resource.Cloud = Cloud{}

// Kind implements resource.Cloud.
func (Cloud) Kind() string { return aloft.Postgres }

// Check implements resource.Cloud.
func (Cloud) Check(options map[string]string) error {
	_, err := settingsOf(options)
	return err
}

// settings are the options, read.
type settings struct {
	least, most                 float64
	instance, version, database string
	storage, backups            int
	standby                     bool
}

func settingsOf(options map[string]string) (s settings, err error) {
	if err := resource.Options(aloft.Postgres, options, minOption, maxOption, instanceOption, storageOption, standbyOption,
		versionOption, backupsOption, databaseOption, resource.VariableOption); err != nil {
		return s, err
	}
	s.database = defaultDatabase
	for _, o := range []struct {
		name, like string
		pattern    *regexp.Regexp
		into       *string
	}{
		{instanceOption, "db.t4g.micro", instanceName, &s.instance}, {versionOption, "17", versionName, &s.version}, {databaseOption, "shop", databaseName, &s.database},
	} {
		if text, said := options[o.name]; said {
			if *o.into = text; !o.pattern.MatchString(text) {
				return s, aloft.Errorf(aloft.Invalid, "%s is %q; expected something like %s", o.name, text, o.like)
			}
		}
	}
	if s.least, err = resource.Decimal(options, minOption, defaultMin, 0, mostUnits); err != nil {
		return s, err
	}
	if s.most, err = resource.Decimal(options, maxOption, max(defaultMax, s.least), 1, mostUnits); err != nil {
		return s, err
	}
	if s.storage, err = resource.Number(options, storageOption, defaultStorage, leastStorage, mostStorage); err != nil {
		return s, err
	}
	if s.backups, err = resource.Number(options, backupsOption, defaultBackups, 1, mostBackups); err != nil {
		return s, err
	}
	if s.standby, err = resource.Flag(options, standbyOption); err != nil {
		return s, err
	}
	return s, s.check(options)
}

// check returns Invalid for options that contradict each other.
func (s settings) check(options map[string]string) error {
	for _, name := range []string{minOption, maxOption} {
		if options[name] != "" && s.instance != "" {
			return aloft.Errorf(aloft.Invalid, "%s is for Aurora, and %s makes one instance of RDS", name, instanceOption)
		}
	}
	for _, name := range []string{storageOption, standbyOption} {
		if options[name] != "" && s.instance == "" {
			return aloft.Errorf(aloft.Invalid, "%s says nothing without %s", name, instanceOption)
		}
	}
	if s.least > s.most {
		return aloft.Errorf(aloft.Invalid, "%s is %g, more than %s, %g", minOption, s.least, maxOption, s.most)
	}
	return resource.CheckVariable(options)
}
