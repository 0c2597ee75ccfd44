package sink

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
)

func TestJSONL(t *testing.T) {
	sinktest.Run(t, sinktest.Subject{
		New:  func(folder string) crawler.Sink { return &JSONL{Path: filepath.Join(folder, "out", "{type}.jsonl")} },
		Read: readJSONL,
	})
}

func TestCSV(t *testing.T) {
	sinktest.Run(t, sinktest.Subject{
		New:  func(folder string) crawler.Sink { return &CSV{Path: filepath.Join(folder, "out", "{type}.csv")} },
		Read: readCSV,
	})
}

func readJSONL(folder string) ([]sinktest.Row, error) {
	var rows []sinktest.Row
	err := eachFile(folder, func(content string) error {
		for line := range strings.Lines(content) {
			if !strings.HasSuffix(line, "\n") {
				return fmt.Errorf("a line without an end: %q", line)
			}
			var r struct {
				Type   string `json:"_type"`
				Key    string `json:"_key"`
				Text   string `json:"text"`
				Number int64  `json:"number"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				return err
			}
			rows = append(rows, sinktest.Row(r))
		}
		return nil
	})
	return rows, err
}

func readCSV(folder string) ([]sinktest.Row, error) {
	var rows []sinktest.Row
	err := eachFile(folder, func(content string) error {
		lines, err := csv.NewReader(strings.NewReader(content)).ReadAll()
		if err != nil || len(lines) == 0 {
			return errors.Join(err, errors.New("no header"))
		}
		column := map[string]int{}
		for i, name := range lines[0] {
			column[name] = i
		}
		for _, line := range lines[1:] {
			n, err := strconv.ParseInt(line[column["number"]], 10, 64)
			if err != nil {
				return err
			}
			rows = append(rows, sinktest.Row{
				Type: line[column["_type"]], Key: line[column["_key"]], Text: line[column["text"]], Number: n,
			})
		}
		return nil
	})
	return rows, err
}

func eachFile(folder string, read func(content string) error) error {
	return filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := read(string(content)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
}
