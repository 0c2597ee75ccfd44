package cmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// people tells who lives in towns, two to a page: of each town the page before the next
// town, so that a batch has several pages and a town may be on more than one.
func (a *towns) people(w http.ResponseWriter, r *http.Request) {
	a.asked.Add(1)
	ids := strings.Split(r.URL.Query().Get("ids"), ",")
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	var all []string
	end := `, "next": null`
	for _, id := range ids {
		n, err := strconv.Atoi(strings.TrimPrefix(id, "x"))
		if err != nil {
			http.Error(w, "not a town: "+id, http.StatusUnprocessableEntity)
			return
		}
		for i := range n % 4 { // none, to three
			all = append(all, fmt.Sprintf(`{"town": %q, "name": "%s-%d"}`, id, id, i))
		}
		switch {
		case id == "61" && from >= 2: // the second page of its batch fails
			http.Error(w, "no more", http.StatusNotImplemented)
			return
		case id == "71": // its batch has no end
			end = fmt.Sprintf(`, "next": "/people?ids=%s&from=0"`, strings.Join(ids, ","))
		case id == "81": // the next page is HTML
			end = `, "next": "/nothing"`
		case id == "91": // the next page is elsewhere
			end = `, "next": "http://elsewhere.example/"`
		}
	}
	part := all[min(from, len(all)):min(from+2, len(all))]
	if from+2 < len(all) {
		end = fmt.Sprintf(`, "next": "/people?ids=%s&from=%d"`, strings.Join(ids, ","), from+2)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"people": [%s]%s}`, strings.Join(part, ","), end)
}

// The pages of a batch's answer are followed to their end, and each row has its records
// of all of them, or one that says why there are none, also across kills. Rows whose key
// stands in an earlier batch have a line of their own.
func TestBatchAnswersInPagesAcrossKills(t *testing.T) {
	t.Parallel()
	config := func(from string) string {
		return `
seeds:
  - rows: ` + from + `
    url: "http://API/people?ids={{id}}"
    key: id
    batch: {size: 10, field: town}
extract: {town: {plugin: json, each: "$.people[*]", fields: {town: $.town, person: $.name}, next: $.next}}
`
	}
	data := "id\n"
	insert := "insert into towns(id) values "
	for i := range 100 {
		data += fmt.Sprintf("%d\n", i)
		insert += fmt.Sprintf("('%d'), ", i)
	}
	data += "7\n100\n99\n101\n"
	insert += "('7'), ('100'), ('99'), ('101')"
	files := map[string]string{"towns.csv": data}
	for name, from := range map[string]string{
		"a file":        "towns.csv",
		"a query":       `{connection: shop, query: "select id from towns order by n"}`,
		"paged queries": `{connection: shop, query: "select n, id from towns", page: {column: n, size: 20}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, config := newTowns(t), config(from)
			if strings.Contains(from, "shop") {
				config += `connections: {shop: {url: "sqlite:shop.db"}}` + "\n"
			}
			var calm []string
			for _, kills := range []int{0, 3} {
				dir := api.crawlRows(t, config, files)
				sqliteIn(t, dir, "create table towns(n integer primary key, id text)", insert)
				out := lived(t, dir, api, kills)
				got := records(t, filepath.Join(dir, "out/towns.jsonl"))
				if kills == 0 {
					calm = got
					judgePeople(t, got, out)
				} else if !slices.Equal(got, calm) {
					t.Errorf("%d records after kills, want the %d without", len(got), len(calm))
				}
			}
		})
	}
}

func judgePeople(t *testing.T, got []string, out string) {
	t.Helper()
	people, errors, keys := map[string]int{}, map[string][]string{}, map[string]bool{}
	for _, line := range got {
		var r struct {
			ID, Error, Person string
			Detail            string `json:"error_detail"`
			Key               string `json:"_key"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if keys[r.Key] {
			t.Errorf("two records have the key of %s", line)
		}
		keys[r.Key] = true
		if r.Error != "" {
			errors[r.ID] = append(errors[r.ID], r.Error+": "+r.Detail)
			continue
		}
		people[r.ID]++
	}
	for i := range 102 {
		id, want := fmt.Sprint(i), i%4
		failed := i/10 == 6 && i > 62 // what is on the second page
		switch {
		case failed:
			want = 0
		case i == 62:
			want = 1
		case i == 70:
			want = 4 // the first page has come twice, by another address
		}
		if people[id] != want {
			t.Errorf("town %s has %d people, want %d", id, people[id], want)
		}
		var why string
		switch {
		case failed, i == 60:
			why = "http_5xx: status 501: no more"
		case want > 0:
		case i/10 == 8:
			why = "http_4xx: status 404"
		default:
			why = "no_record: "
		}
		again := 0
		if i == 7 || i == 99 {
			again = 1
		}
		twice := slices.IndexFunc(errors[id], func(s string) bool {
			return strings.HasPrefix(s, "bad_row: ") && strings.HasSuffix(s, fmt.Sprintf(`the key "%s" stands twice`, id))
		})
		switch {
		case (twice >= 0) != (again == 1):
			t.Errorf("row %s: %q, and stands twice: %v", id, errors[id], again == 1)
		case why == "" && len(errors[id]) != again, why != "" && len(errors[id]) != again+1,
			why != "" && !strings.HasPrefix(errors[id][0], why):
			t.Errorf("row %s: %q, want %q", id, errors[id], why)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
