/**
 * The numbers of the key ?1, of its children, their children, and so on, as the table `family`. The
 * cross join looks for the children of each: without it SQLite looks at every child key there is.
 */
export const familyOf = `
  with recursive family (number) as (
    select ?1
    union
    select api_keys.number
    from family cross join api_keys on api_keys.parent_number = family.number
  )`;
