import { engineError, type EngineError } from './engine-error.ts'
import type { EngineSettings } from './engine-flags.ts'

/** Names under which an engine answers: its own, and its LoRA adapters'. */
export class ServedModels {
  readonly #settings: EngineSettings
  readonly #adapters = new Map<string, string>()
  readonly #createdSeconds: number

  constructor(settings: EngineSettings, nowMs: number) {
    this.#settings = settings
    this.#createdSeconds = Math.floor(nowMs / 1000)
    for (const { name, path } of settings.loraModules) this.#adapters.set(name, path)
  }

  get base(): string {
    return this.#settings.servedNames[0] ?? this.#settings.modelRoot
  }

  /** The name to answer as; a request without one means the first. */
  resolve(name: string | undefined): string | EngineError {
    if (name === undefined || name === '') return this.base
    if (this.#settings.anyName === true) return name
    if (this.#settings.servedNames.includes(name) || this.#adapters.has(name)) return name
    return engineError(404, 'NotFoundError', `The model \`${name}\` does not exist.`, 'model')
  }

  list(): unknown {
    const { servedNames, modelRoot, maxModelLength } = this.#settings
    const common = { object: 'model', created: this.#createdSeconds, owned_by: 'vllm' }
    return {
      object: 'list',
      data: [
        ...servedNames.map((id) => ({
          id,
          ...common,
          root: modelRoot,
          parent: null,
          max_model_len: maxModelLength,
        })),
        ...Array.from(this.#adapters, ([id, root]) => ({
          id,
          ...common,
          root,
          parent: this.base,
          max_model_len: null,
        })),
      ],
    }
  }

  /** The words of vLLM's answer, or its error. */
  load(name: unknown, path: unknown): string | EngineError {
    if (typeof name !== 'string' || typeof path !== 'string' || name === '' || path === '') {
      return engineError(400, 'InvalidUserInput', "Both 'lora_name' and 'lora_path' must be provided.")
    }
    if (this.#adapters.has(name)) {
      return engineError(400, 'InvalidUserInput', `The lora adapter '${name}' has already been loaded.`)
    }
    this.#adapters.set(name, path)
    return `Success: LoRA adapter '${name}' added successfully.`
  }

  unload(name: unknown): string | EngineError {
    if (typeof name !== 'string' || name === '') {
      return engineError(400, 'InvalidUserInput', "'lora_name' needs to be provided to unload a LoRA adapter.")
    }
    if (!this.#adapters.delete(name)) {
      return engineError(404, 'NotFoundError', `The lora adapter '${name}' cannot be found.`)
    }
    return `Success: LoRA adapter '${name}' removed successfully.`
  }
}
