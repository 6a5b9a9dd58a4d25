PYTHON ?= python3

run test check bench storm faults:
	@exec $(PYTHON) dev.py $@

.PHONY: run test check bench storm faults
