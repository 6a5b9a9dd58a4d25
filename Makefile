PYTHON ?= python3

run test check bench storm fault:
	@exec $(PYTHON) dev.py $@

.PHONY: run test check bench storm fault
