import Type, { type Static } from 'typebox'
import type { ProjectRow } from '#store/projects/project-store.ts'

export const ProjectSchema = Type.Object({ name: Type.String(), slug: Type.String(), id: Type.String() })

/** A stored project as the wire shows it. */
export const presentProject = ({ name, slug, id }: ProjectRow): Static<typeof ProjectSchema> => ({ name, slug, id })
