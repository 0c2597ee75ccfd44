package frontier

import (
	"flag"
	"os"
	"testing"
)

// stories is how many stories each property tells unless -rapid.checks says.
var stories = "100"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", stories); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
